"""The packed sequence of a shot, [text | audio | video], as diffusers' MiniMaxH3PrepareLayoutStep (t2va) builds it.

Only rotary time differs. The reference's clock ticks 40 times per second and assumes 24 fps (5/3 ticks per pixel frame); at `fps` frames per second a pixel
frame spans 40 / fps ticks. The text rows of the score sit at the time they sound.
"""

import functools

import numpy as np
import torch

from common.training import WORLD

VIDEO, TEXT, AUDIO = 0, 1, 2  # modality tags of the reference
TICKS = 40  # per second of rotary time; also the rate of the audio latents
FRAMES_PER_LATENT = (1, 4, 4, 4, 4)  # pixel frames of each latent frame of a clip
CLIP = sum(FRAMES_PER_LATENT)
PATCH = 2  # latents along each side of a patch
SPATIAL_SCALE = 32


def audio_rows(frames=WORLD["shot_frames"][0], fps=WORLD["fps"]):
    """Number of audio rows of a shot: TICKS per second."""
    return round(frames / fps * TICKS)


def clips(frames=WORLD["shot_frames"][0]):
    """Lengths of the clips that the video autoencoder cuts `frames` pixel frames into: as many 17s as fit, then the remainder."""
    return [CLIP] * (frames // CLIP) + ([frames % CLIP] if frames % CLIP else [])


def first_frames(frames=WORLD["shot_frames"][0]):
    """The index of the first pixel frame of each latent frame."""
    return [CLIP * i + first for i, length in enumerate(clips(frames)) for first in (0, *range(1, length, 4))]


def spatial_axis(size, root_area):
    """`size // PATCH` coordinates, centred on the unit interval and scaled by SPATIAL_SCALE, right end excluded."""
    ratio = size / root_area
    left = (1 - ratio) / 2
    return np.linspace(left, left + ratio, size // PATCH, endpoint=False) * SPATIAL_SCALE


def positions(untimed, score_starts, latent_frames, height, width, audio, fps=WORLD["fps"]):
    """Rotary positions float64 [rows, 3] as (t, h, w): `untimed` text rows, one score row per entry of score_starts (seconds), `audio` rows, then the video
    rows."""
    root_area = np.sqrt(height * width)
    rows, columns = spatial_axis(height, root_area), spatial_axis(width, root_area)
    text = np.zeros((untimed + len(score_starts), 3))
    text[:untimed, 0] = np.arange(untimed)
    text[untimed:, 0] = untimed + np.asarray(score_starts, np.float64) * TICKS
    sound = np.zeros((audio, 3))
    sound[:, 0] = untimed + np.arange(audio)
    sound[:, 2] = columns[0]
    spans = np.array([TICKS / fps * FRAMES_PER_LATENT[i % 5] for i in range(latent_frames)])
    time = untimed + np.concatenate([[0.0], np.cumsum(spans)[:-1]])
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    video = np.concatenate([np.repeat(time, len(grid))[:, None], np.tile(grid, (latent_frames, 1))], 1)
    return torch.from_numpy(np.concatenate([text, sound, video]))


@functools.lru_cache(maxsize=8)
def media_positions(latent_frames, height, width, audio, device):
    """float32 [1, audio + video rows, 3]: positions of the media rows when no text precedes them."""
    return positions(0, [], latent_frames, height, width, audio).float().to(device)[None]


def patchify(latents):
    """[b, c, t, h, w] -> [b, rows, c * PATCH²]; rows frame by frame, then row by row."""
    b, c, t, h, w = latents.shape
    x = latents.reshape(b, c, t, h // PATCH, PATCH, w // PATCH, PATCH)
    return x.permute(0, 2, 3, 5, 1, 4, 6).reshape(b, t * (h // PATCH) * (w // PATCH), c * PATCH * PATCH)


def unpatchify(rows, c, t, h, w):
    """Inverse of `patchify`: [b, rows, c * PATCH²] -> [b, c, t, h, w]."""
    b = rows.shape[0]
    x = rows.reshape(b, t, h // PATCH, w // PATCH, c, PATCH, PATCH)
    return x.permute(0, 4, 1, 2, 5, 3, 6).reshape(b, c, t, h, w)
