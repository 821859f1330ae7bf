"""Latents as the transformer leaves them, beside the pictures they should have become: what the decoder of pictures is finished on.

The transformer predicts each patch a little apart from its neighbours and each frame a little differently, so that its latents have seams and flicker which
latents of the encoder never have. Here a shot is noised to the beginning of one of the last STEPS of the schedule and led back by the transformer:
what comes out shows the same shot, with these faults. The decoder learns to make the rendered picture of it (video_vae.py).
"""

import collections

import numpy as np
import torch

from common.training import DEVICE
from networks import dit, latents, layout, video_vae

STEPS = 6  # of dit.EVALUATIONS that the transformer makes again, at most; from many more it tells another story than the rendered picture
BATCH = 16
SHOTS = 8_000 if DEVICE == "cuda" else 600  # of the pool they are taken from; one in latents.FRAMES_OF has pixels
EXACT_SHARE = 0.4  # of the shots that keep the encoder's latents beside


@torch.no_grad()
def again(model, pool, chosen, first, generator):
    """Normalised video latents [n,c,t,h,w] of shots that the transformer led from evaluation `first` of its schedule to the end."""
    batch = pool.batch(chosen)
    place = torch.full((len(chosen),), first / dit.EVALUATIONS, device=DEVICE)
    sigmas = [s.view(-1, 1, 1) for s in dit.levels(place)]
    video, audio = ((1 - s) * batch[k] + s * torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k, s in zip(("video", "audio"), sigmas))
    video, _ = dit.led(model, batch, video, audio, first, dit.EVALUATIONS)
    return layout.unpatchify(video, *pool.store["video"].shape[1:])


def shots(checkpoint):
    """video_vae.Shots with the latents that the transformer of `checkpoint` left, and with some of the encoder's."""
    model, pool = dit.load(checkpoint), latents.Pool(latents.BUNDLE / "planner", SHOTS, with_pixels=True)
    rng, generator, result, equal = np.random.default_rng(12), torch.Generator().manual_seed(11), video_vae.Shots("none"), collections.defaultdict(list)
    for index in pool.pixels:
        equal[pool.lengths[index]].append(index)
    for group in equal.values():
        for i in range(0, len(group), BATCH):
            chosen = group[i:i + BATCH]
            left = again(model, pool, chosen, dit.EVALUATIONS - int(rng.integers(1, STEPS + 1)), generator).half()
            for index, z in zip(chosen, left):
                frames, mask = (torch.from_numpy(a).to(DEVICE) for a in pool.pixels[index])
                for latent in [z] + [pool.store["video"][index]] * (rng.random() < EXACT_SHARE):
                    result.frames.append(frames)
                    result.masks.append(mask)
                    result.latents.append(latent)
    return result


def train_decoder(minutes, resume, out):
    """Trains the video decoder: on the transformer's latents as well if dit.pt exists, else on the encoder's alone. Returns `out`."""
    return video_vae.train(minutes, resume, out, shots(dit.CHECKPOINT) if dit.CHECKPOINT.exists() else None)
