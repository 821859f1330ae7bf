"""The transformer's training data: latents of rendered shots, cached in shards, and the planner's states they are made from.

A shard `latents/NAME.pt` is a list of plans, each {prompt, plan, seed, shots: [{shot, video, actor, audio}]}: normalised latents
video [c,t,h,w] (float16; t is the shot's, or 1 in the shards of single pictures, which make learning to speak cheap), audio [c,n], and the
rows that show an actor. `rows/NAME.pt` holds the planner's states of the same plans; it is made again when the planner changes.
"""

import pathlib
import time
from typing import NamedTuple

import numpy as np
import torch

import layout
import picture
import video_vae
from training import CACHE, DEVICE, EVAL_SEED, WORLD, autocast

BUNDLE = CACHE / "bundle"  # where the stages export their parts to: planner/, audio_vae/ …
SHARD_PLANS = 10  # of whole shots; four times as many of single pictures
HELD_OUT_PLANS = 7
TEXT_LENGTHS = (144, 192)  # text is padded to one of these, so that few shapes need compiling; what is longer stays as it is


class Rows(NamedTuple):
    """The conditioning of one shot (docs/BUNDLE.md): states of the untimed tokens [n,d], of the score's [m,d], its starts in seconds."""
    untimed: torch.Tensor
    score: torch.Tensor
    starts: list


def phone_times(plan, index):
    """[(phone, start_s, duration_s)] of a shot's line, from its score; a phone lasts until the next one."""
    import speech
    shot = plan["shots"][index]
    phones = [(token[5:-2], start) for token, start in speech.score(WORLD, plan, index) if token.startswith("<|ph:")]
    if not phones:
        return None
    ends = [start for _, start in phones[1:]] + [(shot["dialogue"][0]["end_ms"] - shot["start_ms"]) / 1000]
    return [(phone, start, end - start) for (phone, start), end in zip(phones, ends)]


@torch.no_grad()
def encode_shot(vae, mean, std, plan, index, seed, frames):
    """(video latents float16 [c,t,h,w], actor rows uint8 [t*h*w/16]) of the shot's first frame (frames=1) or of all of it."""
    pixels, mask, _ = picture.render_shot(plan, index, seed, phone_times(plan, index), None if frames > 1 else [0])
    with autocast():
        z = video_vae.moments(vae, video_vae.to_model(pixels))[0].float()
    first = layout.first_frames(frames)
    side = 8 * layout.PATCH
    cells = mask[first].reshape(len(first), picture.HEIGHT // side, side, picture.WIDTH // side, side) > 0
    return ((z - mean) / std)[0].half().cpu(), torch.from_numpy((cells.mean((2, 4)) > 0.03).astype(np.uint8).reshape(-1))


def add_sound(entries, ears):
    """Gives every shot of `entries` the latents of its sound, "audio": float16 [c,rows]."""
    import audio_vae
    import sound
    shots = [(entry, shot) for entry in entries for shot in entry["shots"]]
    for i in range(0, len(shots), 8):
        waves = np.stack([sound.render_sound(entry["plan"], shot["shot"], entry["seed"]) for entry, shot in shots[i:i + 8]])
        for (_, shot), audio in zip(shots[i:i + 8], audio_vae.encode_latents(ears, waves, layout.audio_rows())):
            shot["audio"] = audio.half().clone()


def make(name, seeds, pictures_only, ears, log=print):
    """Renders and encodes the plans of `seeds` into the shard `name`."""
    import grammar
    vae = video_vae.quick(video_vae.load(CACHE / "video_vae_frozen.pt"))
    mean, std = video_vae.statistics(vae)
    entries, start = [], time.time()
    for seed in seeds:
        prompt, plan = grammar.sample_plan(np.random.default_rng([4, seed]))
        shots = []
        for index in range(len(plan["shots"])):
            video, actor = encode_shot(vae, mean, std, plan, index, seed, 1 if pictures_only else picture.FRAMES)
            shots.append({"shot": index, "video": video, "actor": actor})
        entries.append({"prompt": prompt, "plan": plan, "seed": seed, "shots": shots})
    add_sound(entries, ears)
    write(name, entries)
    log(f"{name}: {sum(len(e['shots']) for e in entries)} shots in {time.time() - start:.0f} s")


def write(name, entries):
    folder = CACHE / "latents"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(entries, folder / f"{name}.part")
    (folder / f"{name}.part").rename(folder / f"{name}.pt")


def resound(audio_folder=BUNDLE / "audio_vae", log=print):
    """Encodes the sound of every cached shot anew, whole shots first: the audio autoencoder has changed, the pictures have not."""
    import audio_vae
    ears, start = audio_vae.load(str(audio_folder)), time.time()
    for path in sorted((CACHE / "latents").glob("*.pt"), key=lambda p: (p.stem.startswith("image"), p.stem)):
        entries = torch.load(path, weights_only=False)
        add_sound(entries, ears)
        write(path.stem, entries)
        log(f"{path.stem}: {time.time() - start:.0f} s", flush=True)


def states(name, tapper):
    """[Rows] for every shot of a shard, in order; kept beside it."""
    source, kept = CACHE / "latents" / f"{name}.pt", CACHE / "rows" / f"{name}.pt"
    if kept.exists():
        return [Rows(*r) for r in torch.load(kept, weights_only=False)]
    kept.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for entry in torch.load(source, weights_only=False):
        for untimed, score, starts in tapper(entry["prompt"], entry["plan"], [s["shot"] for s in entry["shots"]]):
            rows.append(Rows(untimed.half(), score.half(), list(starts)))
    torch.save([tuple(r) for r in rows], kept)
    return rows


def tapper(folder):
    """(prompt, plan, shot indices) -> [(untimed, score, starts)] by the exported planner."""
    import planner
    model, vocabulary = planner.load(folder)

    def tap(prompt, plan, indices):
        shots = planner.tap_states(model, vocabulary, prompt, plan)
        for i in indices:
            rows, starts = shots[i]
            untimed = sum(s is None for s in starts)
            yield rows[:untimed], rows[untimed:], starts[untimed:]
    return tap


class Dataset:
    """All shards there are, sorted by text length. Items are dicts of video, audio, actor, rows. `refresh` finds new shards."""

    def __init__(self, planner):
        self.shots, self.images, self.held_out, self.known, self.planner, self.tap = [], [], [], set(), planner, None
        self.refresh()

    def refresh(self):
        new = sorted(p.stem for p in (CACHE / "latents").glob("*.pt") if p.stem not in self.known)
        for name in new:
            if self.tap is None and not (CACHE / "rows" / f"{name}.pt").exists():
                self.tap = tapper(self.planner)
            rows = iter(states(name, self.tap))
            target = self.held_out if name.startswith("held_out") else self.images if name.startswith("image") else self.shots
            for entry in torch.load(CACHE / "latents" / f"{name}.pt", weights_only=False):
                for shot in entry["shots"]:
                    item = {**shot, "rows": next(rows)}
                    spoken = bool(entry["plan"]["shots"][shot["shot"]]["dialogue"])
                    target += [item] * (2 if spoken and target is self.images else 1)  # a voice is hard to learn
            self.known.add(name)
        for items in (self.shots, self.images, self.held_out):
            items.sort(key=lambda item: len(item["rows"].untimed) + len(item["rows"].score))

    def shape(self):
        """(text dimension, audio channels, video channels)."""
        import audio_vae
        item = (self.shots or self.images)[0]
        return item["rows"].untimed.shape[1], audio_vae.CONFIG["latent_channels"], item["video"].shape[0]


def collate(items):
    """A batch: video [b,rows,c*16], audio [b,n,c], actor [b,rows], text padded at its end, its
    mask, positions [b,rows,3] in the order text, audio, video."""
    video = layout.patchify(torch.stack([i["video"] for i in items]).float())
    frames = items[0]["video"].shape[1]
    audio = torch.stack([i["audio"].float().T for i in items])
    na, longest = audio.shape[1], max(len(i["rows"].untimed) + len(i["rows"].score) for i in items)
    longest = next((n for n in TEXT_LENGTHS if n >= longest), longest)
    text = torch.zeros(len(items), longest, items[0]["rows"].untimed.shape[1])
    mask, position = torch.zeros(len(items), longest, dtype=torch.bool), torch.zeros(len(items), longest + na + video.shape[1], 3)
    for k, item in enumerate(items):
        rows = item["rows"]
        n = len(rows.untimed) + len(rows.score)
        text[k, :n] = torch.cat([rows.untimed, rows.score]).float()
        mask[k, :n] = True
        where = layout.positions(len(rows.untimed), rows.starts, frames, *item["video"].shape[2:], na).float()
        position[k, :n], position[k, longest:] = where[:n], where[n:]
    batch = {"video": video, "audio": audio, "actor": torch.stack([i["actor"] for i in items]).float(), "text": text,
             "text_mask": mask, "position": position}
    return {k: v.to(DEVICE) for k, v in batch.items()}


def fill(kind, minutes, first=0):
    """Writes shards of a kind ("images", "shots"; "held_out" is a single one) that are not there yet, until `minutes` are over."""
    import audio_vae
    ears = audio_vae.load(str(BUNDLE / "audio_vae"))
    if kind == "held_out":
        return (CACHE / "latents/held_out.pt").exists() or make("held_out", range(EVAL_SEED, EVAL_SEED + HELD_OUT_PLANS), False, ears)
    end, number = time.time() + 60 * minutes, first
    base, plans = (10**6, SHARD_PLANS) if kind == "shots" else (2 * 10**6, 4 * SHARD_PLANS)
    while time.time() < end:
        name = f"{kind[:-1]}_{number:04d}"
        if not (CACHE / "latents" / f"{name}.pt").exists():
            make(name, range(base + number * plans, base + (number + 1) * plans), kind == "images", ears)
        number += 1
