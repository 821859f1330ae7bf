"""Latents as the transformer leaves them, beside the pictures they should have become: what the decoder of pictures is finished on.

The transformer predicts each patch of 32 pixels nearly by itself and each frame's a little differently, so that its latents have seams and flicker which
latents of the encoder never have. Here a cached shot is noised to the beginning of one of the last STEPS of the schedule and led back by the transformer:
what comes out shows the same shot, with these faults. The decoder learns to make the rendered picture of it (video_vae.py).
"""

import functools
import time

import numpy as np
import torch

import dit
import latents
import layout
import picture
import video_vae
from training import CACHE, DEVICE, autocast

FOLDER = CACHE / "made"
STEPS = 6  # of dit.EVALUATIONS that the transformer makes again, at most; from many more it tells another story than the rendered picture
BATCH = 8
SHARE = 0.6  # of the decoder's batches


@torch.no_grad()
def again(model, items, first, generator):
    """Normalised video latents [n,c,t,h,w] of items that the transformer led from evaluation `first` of its schedule to the end."""
    batch = latents.collate(items)
    place = torch.full((len(items),), first / dit.EVALUATIONS, device=DEVICE)
    sigmas = [s.view(-1, 1, 1) for s in dit.levels(place)]
    video, audio = ((1 - s) * batch[k] + s * torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k, s in zip(("video", "audio"), sigmas))
    video, _ = dit.led(model, batch, video, audio, first, dit.EVALUATIONS)
    return layout.unpatchify(video, *items[0]["video"].shape)


def make(name, model):
    """Writes made/NAME.pt: float16 latents of every shot of the shard latents/NAME.pt, in its order."""
    rows = iter(latents.states(name, latents.tapper(latents.BUNDLE / "planner")))
    items = [{**shot, "rows": next(rows)} for entry in torch.load(CACHE / "latents" / f"{name}.pt", weights_only=False) for shot in entry["shots"]]
    rng, generator = np.random.default_rng(list(name.encode())), torch.Generator().manual_seed(11)
    out = []
    for i in range(0, len(items), BATCH):
        out += again(model, items[i:i + BATCH], dit.EVALUATIONS - int(rng.integers(1, STEPS + 1)), generator).half().cpu()
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.save(out, FOLDER / f"{name}.part")
    (FOLDER / f"{name}.part").rename(FOLDER / f"{name}.pt")


def fill(checkpoint, minutes):
    """Makes shards that are not there yet until `minutes` are over, the held-out one and one of whole shots at least."""
    model, end = dit.load(checkpoint), time.time() + 60 * minutes
    make("held_out", model)
    for path in sorted((CACHE / "latents").glob("shot_*.pt")):
        if not (FOLDER / path.name).exists():
            make(path.stem, model)
            print(path.stem, flush=True)
        if time.time() > end:
            return


# ---- the decoder's batches

@functools.cache
def shard(name):
    """[(plan, index, seed, latents)] of a shard's shots."""
    shots = [(entry["plan"], shot["shot"], entry["seed"]) for entry in torch.load(CACHE / "latents" / f"{name}.pt", weights_only=False) for shot in entry["shots"]]
    return [(*shot, z) for shot, z in zip(shots, torch.load(FOLDER / f"{name}.pt"))]


@functools.cache
def statistics():
    return video_vae.statistics(video_vae.load(CACHE / "video_vae_frozen.pt"))


def rendered(plan, index, seed):
    """(frames, mask) of a cached shot."""
    return picture.render_shot(plan, index, seed, latents.phone_times(plan, index))[:2]


def drawn(rng, kind):
    """As video_vae.drawn, with the latents [c,t,h,w] that the transformer left."""
    names = sorted(p.stem for p in FOLDER.glob("shot_*.pt"))
    shots = shard(names[int(rng.integers(len(names)))])
    *shot, z = shots[int(rng.integers(len(shots)))]
    (frames, mask), (mean, std) = rendered(*shot), statistics()
    z = (z.float().to(DEVICE) * std + mean)[0]
    if kind != "head":
        return frames, mask, 0, z
    clip = int(rng.integers(len(layout.clips())))  # the first five frames of one of the shot's clips
    begin, first = clip * layout.CLIP, clip * len(layout.FRAMES_PER_LATENT)
    return frames[begin:begin + 5], mask[begin:begin + 5], first, z[:, first:first + 2]


def random_batch(kinds, shares, scale, rng):
    """As video_vae.random_batch, SHARE of them on the transformer's latents."""
    if rng.random() >= SHARE:
        return video_vae.random_batch(kinds, shares, scale, rng)
    kind = str(rng.choice(kinds, p=shares))
    return f"made {kind}", *video_vae.batch(rng, kind, scale, drawn)


@torch.no_grad()
def evaluate(model, count=4):
    """PSNR in dB of held-out shots from the transformer's latents, whole frames and actor pixels."""
    (mean, std), pairs = statistics(), []
    for *shot, z in shard("held_out")[::5][:count]:
        with autocast():
            y = video_vae.kept(video_vae.decode(model, z.float().to(DEVICE) * std + mean))
        pairs.append((video_vae.to_pixels(y[0]), *rendered(*shot)))
    whole, actor = video_vae.psnr(pairs)
    return {"psnr_made": whole, "psnr_made_actor": actor}
