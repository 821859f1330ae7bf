"""Training pairs for fine-tuning the video decoder: (latents sampled by the transformer, the rendered frames).

The transformer predicts each patch slightly apart from its neighbours and each frame slightly differently, so its latents have seams and flicker that the
encoder's never have. Here a shot is noised to the start of one of the last MAX_REDONE evaluations of the schedule and denoised by the transformer: the result
shows the same shot with these faults, and the decoder learns to render the true frames from it.
"""

import collections

import numpy as np
import torch

from common.training import DEVICE
from networks import dit, latents, layout, video_vae

MAX_REDONE = 6  # most evaluations redone; with many more the result no longer shows the rendered shot
BATCH = 16
SHOTS = 8_000 if DEVICE == "cuda" else 600  # shots in the pool; one in latents.PIXELS_EVERY has pixels
EXACT_SHARE = 0.4  # share of shots that also keep the encoder's latents


@torch.no_grad()
def renoise_and_denoise(model, pool, chosen, first, generator):
    """Normalised video latents [n,c,t,h,w] of the shots `chosen`, noised to evaluation `first` of the schedule and denoised from there to the end."""
    batch = pool.batch(chosen)
    place = torch.full((len(chosen),), first / dit.EVALUATIONS, device=DEVICE)
    sigmas = [s.view(-1, 1, 1) for s in dit.schedule_sigmas(place)]
    video, audio = ((1 - s) * batch[k] + s * torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k, s in zip(("video", "audio"), sigmas))
    video, _ = dit.denoise(model, batch, video, audio, first, dit.EVALUATIONS)
    return layout.unpatchify(video, *pool.store["video"].shape[1:])


def build_pairs(checkpoint):
    """video_vae.Shots with latents sampled by the transformer of `checkpoint`, and for EXACT_SHARE of the shots also the encoder's."""
    model, pool = dit.load(checkpoint), latents.Pool(latents.BUNDLE / "planner", SHOTS, with_pixels=True)
    rng, generator, result, equal = np.random.default_rng(12), torch.Generator().manual_seed(11), video_vae.Shots("none"), collections.defaultdict(list)
    for index in pool.pixels:
        equal[pool.lengths[index]].append(index)
    for group in equal.values():
        for i in range(0, len(group), BATCH):
            chosen = group[i:i + BATCH]
            left = renoise_and_denoise(model, pool, chosen, dit.EVALUATIONS - int(rng.integers(1, MAX_REDONE + 1)), generator).half()
            for index, z in zip(chosen, left):
                frames, mask = (torch.from_numpy(a).to(DEVICE) for a in pool.pixels[index])
                for latent in [z] + [pool.store["video"][index]] * (rng.random() < EXACT_SHARE):
                    result.frames.append(frames)
                    result.masks.append(mask)
                    result.latents.append(latent)
    return result


def train_decoder(minutes, resume, out):
    """Trains the video decoder and returns `out`: on the pairs of dit.pt if it exists, else on the encoder's latents."""
    return video_vae.train(minutes, resume, out, build_pairs(dit.CHECKPOINT) if dit.CHECKPOINT.exists() else None)
