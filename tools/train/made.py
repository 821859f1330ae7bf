"""Latents as the transformer leaves them, beside the pictures they should have become: what the decoder of pictures is finished on.

The transformer predicts each patch of 32 pixels nearly by itself and each frame's a little differently, so that its latents have seams and flicker which
latents of the encoder never have. Here a cached shot is noised to the beginning of one of the last STEPS of the schedule and led back by the transformer:
what comes out shows the same shot, with these faults. The decoder learns to make the rendered picture of it (video_vae.py).
"""

import functools
import time

import numpy as np
import torch

import distil
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
    place = lambda k: torch.full((len(items),), k / dit.EVALUATIONS, device=DEVICE)
    sigmas = [s.view(-1, 1, 1) for s in distil.levels(place(first))]
    video, audio = ((1 - s) * batch[k] + s * torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k, s in zip(("video", "audio"), sigmas))
    for k in range(first, dit.EVALUATIONS):
        for_video, for_audio = distil.clean(model, batch, video, audio, place(k))
        (a, b), (c, d) = distil.levels(place(k)), distil.levels(place(k + 1))
        video, audio = distil.moved(video, for_video, a, c), distil.moved(audio, for_audio, b, d)
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
    """Mean and standard deviation [c,1,1,1] of the latents' channels."""
    config = video_vae.load(CACHE / "video_vae_frozen.pt").config
    return [torch.tensor(v).view(-1, 1, 1, 1) for v in (config.latents_mean, config.latents_std)]


def rendered(plan, index, seed):
    """(frames, mask) of a cached shot."""
    return picture.render_shot(plan, index, seed, latents.phone_times(plan, index))[:2]


def batch(rng, kind, scale):
    """As video_vae.batch, with the latents [b,c,t,h,w] that the transformer left."""
    names = sorted(p.stem for p in FOLDER.glob("shot_*.pt"))
    size, count = {"head": (video_vae.HEADS, video_vae.HEAD_COUNT), "window": (video_vae.WINDOWS, 1), "shot": (((picture.HEIGHT, picture.WIDTH),), 1)}[kind]
    height, width = size[int(rng.integers(len(size)))]
    pixels, masks, corners, zs = [], [], [], []
    for _ in range(count * scale):
        shots = shard(names[int(rng.integers(len(names)))])
        *shot, z = shots[int(rng.integers(len(shots)))]
        frames, mask = rendered(*shot)
        first = 0
        if kind == "head":  # the first five frames of one of the shot's clips
            clip = int(rng.integers(len(layout.clips())))
            first = clip * len(layout.FRAMES_PER_LATENT)
            (frames, mask), z = (v[layout.CLIP * clip:][:5] for v in (frames, mask)), z[:, first:first + 2]
        y, x = video_vae.window(rng, mask, height, width)
        pixels.append(video_vae.to_model(frames[:, y:y + height, x:x + width]))
        masks.append(mask[:, y:y + height, x:x + width] > 0)
        corners.append((first, y // 8, x // 8))
        mean, deviation = statistics()
        zs.append((z.float() * deviation + mean)[:, :, y // 8:(y + height) // 8, x // 8:(x + width) // 8])
    return torch.cat(pixels), torch.from_numpy(np.stack(masks)).to(DEVICE).float()[:, None], corners, torch.stack(zs)


def random_batch(kinds, shares, scale, rng):
    """As video_vae.random_batch, SHARE of them on the transformer's latents."""
    if rng.random() >= SHARE:
        return video_vae.random_batch(kinds, shares, scale, rng)
    kind = str(rng.choice(kinds, p=shares))
    return f"made {kind}", *batch(rng, kind, scale)


@torch.no_grad()
def evaluate(model, count=4):
    """PSNR in dB of held-out shots from the transformer's latents, whole frames and actor pixels."""
    errors = []
    mean, deviation = statistics()
    for *shot, z in shard("held_out")[::5][:count]:
        frames, mask = rendered(*shot)
        with autocast():
            y = video_vae.kept(video_vae.decode(model, (z.float() * deviation + mean)[None].to(DEVICE)))
        d = (video_vae.to_pixels(y[0]).astype(np.float32) - frames) ** 2
        errors.append((d.mean(), d[mask > 0].mean() if (mask > 0).any() else np.nan))
    whole, actor = (float(10 * np.log10(255**2 / v)) for v in np.nanmean(np.array(errors), axis=0))
    return {"psnr_made": whole, "psnr_made_actor": actor}
