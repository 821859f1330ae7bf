"""The transformer's training data: rendered shots as latents, with the planner's tokens that condition them.

Processes without a GPU draw films (`grammar_shots.sample_shots`), render and encode them in closed form, and write shards `latents/NAME.pt`. A `Pool` loads
shards as they appear, runs the planner over their films, and serves batches of shots with equally many text rows, so that nothing is padded.
"""

import collections
import functools
import queue
import threading
import time

import numpy as np
import torch

from common.training import CACHE, DEVICE, EVAL_SEED, PIXEL_MEAN, PIXEL_STD, SHARDS, WORKERS, start_process
from networks import audio_vae, layout, planner, video_init, video_vae
from prompts import grammar_shots, tokens
from storybook import renderer

BUNDLE = CACHE / "bundle"  # the stages' exported models
SHARD_SHOTS = 16
PIXELS_EVERY = 16  # every 16th shot keeps its pixels, for the video decoder
MAX_TEXT_ROWS = 256  # shots with more text rows are skipped
HELD_OUT_SHARDS = 6
CLIP_LATENTS = len(layout.FRAMES_PER_LATENT)


@functools.lru_cache(maxsize=1)
def encoders():
    """(pixels -> normalised latents, sound features, vocabulary), loaded once per process."""
    linear = torch.load(video_vae.LINEAR)
    eye = video_init.PixelEncoder(linear, PIXEL_MEAN, PIXEL_STD, linear["statistics"])
    return eye, audio_vae.Features.load(), tokens.Vocabulary(planner.TOKENIZER)


def actor_rows(mask):
    """uint8 [rows]: whether a row's patch shows an actor. mask: uint8 [frames,H,W]."""
    first, side = layout.first_frames(len(mask)), 8 * layout.PATCH
    cells = mask[first].reshape(len(first), mask.shape[1] // side, side, mask.shape[2] // side, side) > 0
    return torch.from_numpy((cells.mean((2, 4)) > 0.03).astype(np.uint8).reshape(-1))


@torch.no_grad()
def encode_shot(plan, index, seed, keep_frames):
    """Renders and encodes a shot: normalised latents video [c,t,h,w] and audio [c,n] (float16), actor [rows], wave int16; with keep_frames also frames and
    mask."""
    eye, features, _ = encoders()
    frames, mask, _ = renderer.render_shot(plan, index, seed, renderer.phones(plan, index))
    wave = renderer.render_sound(plan, index, seed)
    shot = {"video": eye(frames).half(), "audio": features.latents(torch.from_numpy(wave)[None], layout.audio_rows(len(frames)))[0].half(),
            "actor": actor_rows(mask), "wave": np.round(wave * 32767).astype(np.int16)}
    return shot | ({"frames": frames, "mask": np.packbits(mask > 0, axis=-1)} if keep_frames else {})


def write_shard(name, seeds):
    """Renders and encodes films of `seeds` until the shard is full: [{prompt, plan, seed, ids, shots: [{shot, rows, sounds, starts, …}]}]."""
    films, count = [], 0
    for seed in seeds:
        prompt, plan = grammar_shots.sample_shots(np.random.default_rng([4, seed]))
        encoded = tokens.encode_plan(encoders()[2], prompt, plan)
        shots = []
        for index, (rows, sounds, starts) in enumerate(encoded.shots):
            if len(rows) + len(sounds) <= MAX_TEXT_ROWS:
                shots.append(encode_shot(plan, index, seed, count % PIXELS_EVERY == 0) | {"shot": index, "rows": rows, "sounds": sounds, "starts": starts})
                count += 1
        films.append({"prompt": prompt, "plan": plan, "seed": seed, "ids": np.array(encoded.ids, np.int16), "shots": shots})
        if count >= SHARD_SHOTS:
            break
    SHARDS.mkdir(parents=True, exist_ok=True)
    torch.save(films, SHARDS / f"{name}.part")
    (SHARDS / f"{name}.part").rename(SHARDS / f"{name}.pt")


def write_shards(kind, minutes, first=0, step=1):
    """Writes the shards `first`, `first + step` … that do not exist yet, until `minutes` have passed. For kind "held_out": all HELD_OUT_SHARDS, regardless of
    the time."""
    end, base = time.time() + 60 * minutes, EVAL_SEED if kind == "held_out" else 10**6
    numbers = range(HELD_OUT_SHARDS) if kind == "held_out" else range(first, 10**5, step)
    for number in numbers:
        if kind != "held_out" and time.time() > end:
            return
        if not (SHARDS / f"{kind}_{number:05d}.pt").exists():
            write_shard(f"{kind}_{number:05d}", range(base + number * SHARD_SHOTS, base + (number + 1) * SHARD_SHOTS))


def write_training_shards(minutes, first, step):
    """`write_shards` of training shots on one thread: the renderer does not use more."""
    torch.set_num_threads(1)
    write_shards("shots", minutes, first, step)


def write_all_shards(minutes):
    """Writes the held-out shards, then training shards until `minutes` have passed, in WORKERS processes. Training stages may run at the same time."""
    others = [start_process(write_training_shards, minutes, i, WORKERS) for i in range(1, WORKERS)]
    torch.set_num_threads(1)
    write_shards("held_out", 0)
    write_training_shards(minutes, 0, max(1, WORKERS))
    for process in others:
        process.join()


def fit_autoencoders():
    """Computes what never changes afterwards: the linear video autoencoder and the sound features. Returns the video autoencoder's checkpoint."""
    video_vae.fit_linear_start()
    audio_vae.fit_features()
    return video_vae.STARTED


class Pool:
    """The shots of all shards in memory of DEVICE, at most `capacity`. `sources` holds (plan, shot, seed) of each; `pixels` holds {index: (frames, mask)} of
    the shots that kept theirs if `with_pixels`; `buckets` groups indices by number of text rows."""

    def __init__(self, planner_folder, capacity, kind="shots", with_pixels=False):
        self.kind, self.capacity, self.count, self.known = kind, capacity, 0, set()
        self.with_pixels, self.pixels = with_pixels, {}
        self.model, self.vocabulary = planner.load(planner_folder)
        self.model.to(torch.bfloat16 if DEVICE == "cuda" else torch.float32)
        self.lengths, self.buckets, self.store = [], collections.defaultdict(list), None  # text rows per shot; shots by number of text rows
        self.sources = []
        self.refresh()

    def unread_shards(self):
        """Loads and yields the shards not seen yet: lists of films."""
        for path in sorted(SHARDS.glob(f"{self.kind}_*.pt")):
            if path.name not in self.known and self.count < self.capacity:
                self.known.add(path.name)
                yield torch.load(path, weights_only=False)

    def refresh(self):
        """Adds all shards that exist now."""
        films = []
        for more in self.unread_shards():
            films += more
            if len(films) > 6 * SHARD_SHOTS:
                self.add_films(films)
                films = []
        self.add_films(films)

    def follow(self):
        """Starts a thread that loads new shards as they appear; `catch_up` adds them."""
        self.arrived = queue.Queue(maxsize=64)

        def load():
            while self.count < self.capacity:
                for films in self.unread_shards():
                    self.arrived.put(films)
                time.sleep(0.5)
        threading.Thread(target=load, daemon=True).start()

    def catch_up(self):
        """Adds the shards that the thread of `follow` has loaded, up to a limit that keeps a training step short."""
        films = []
        while not self.arrived.empty() and len(films) < 12 * SHARD_SHOTS:
            films += self.arrived.get()
        if films:
            self.add_films(films)

    @torch.no_grad()
    def add_films(self, films):
        """Runs the planner over films and stores their shots."""
        films = [f for f in films if f["shots"]]
        shots = [shot for film in films for shot in film["shots"]][:self.capacity - self.count]
        if not shots:
            return
        if self.store is None:
            empty = lambda like, kind=torch.float16: torch.zeros(self.capacity, *like, dtype=kind, device=DEVICE)
            self.store = {"video": empty(shots[0]["video"].shape), "audio": empty(shots[0]["audio"].shape),
                          "actor": empty(shots[0]["actor"].shape, torch.uint8),
                          "text": empty((MAX_TEXT_ROWS, self.model.config.hidden_size)), "time": empty((MAX_TEXT_ROWS,), torch.float32),
                          "origin": empty((), torch.float32)}
        states, place = iter(self.text_states(films)), slice(self.count, self.count + len(shots))
        for key in ("video", "audio", "actor"):
            self.store[key][place] = torch.stack([s[key] for s in shots]).to(DEVICE)
        times = torch.zeros(len(shots), MAX_TEXT_ROWS)
        for i, shot in enumerate(shots):
            untimed, n, text = len(shot["rows"]), len(shot["rows"]) + len(shot["sounds"]), next(states)
            self.store["text"][self.count + i, :n] = text
            times[i, :untimed] = torch.arange(untimed)
            times[i, untimed:n] = untimed + layout.TICKS * torch.tensor(shot["starts"])
            self.store["origin"][self.count + i] = untimed
            self.lengths.append(n)
            self.buckets[n].append(self.count + i)
            if self.with_pixels and "frames" in shot:
                self.pixels[self.count + i] = shot["frames"], np.unpackbits(shot["mask"], axis=-1)
        self.store["time"][place] = times.to(DEVICE)
        self.sources += [(film["plan"], shot["shot"], film["seed"]) for film in films for shot in film["shots"]][:len(shots)]
        self.count += len(shots)

    def text_states(self, films):
        """Yields each shot's tap states float16 [n,d], untimed rows first. Films are batched, padded at their ends (attention is causal)."""
        ids = torch.zeros(len(films), max(len(f["ids"]) for f in films), dtype=torch.long)
        for row, film in zip(ids, films):
            row[:len(film["ids"])] = torch.from_numpy(film["ids"].astype(np.int64))
        states = self.model.model(input_ids=ids.to(DEVICE), use_cache=False, output_hidden_states=True).hidden_states[planner.TAP_LAYER].half()
        for film, read in zip(films, states):
            for shot in film["shots"]:
                yield read[torch.tensor([*shot["rows"], *shot["sounds"]], device=DEVICE)]

    def draw(self, rng, size):
        """Indices of up to `size` random shots with equally many text rows."""
        bucket = self.buckets[self.lengths[int(rng.integers(self.count))]]
        return [bucket[int(i)] for i in rng.permutation(len(bucket))[:size]]

    def batch(self, chosen, images=False):
        """A batch of shots with equally many text rows: video [b,rows,c*4], audio [b,n,c], actor [b,rows], text [b,m,d], position [b,m+n+rows,3]. images: the
        first latent of each clip instead, as separate shots of one frame."""
        index = torch.tensor(chosen, device=DEVICE)
        length = self.lengths[chosen[0]]
        video, actor = self.store["video"][index].float(), self.store["actor"][index].float()
        if images:
            single = video[:, :, ::CLIP_LATENTS]  # [b,c,clips,h,w]
            index, actor = index.repeat_interleave(single.shape[2]), actor.view(len(actor), video.shape[2], -1)[:, ::CLIP_LATENTS].flatten(0, 1)
            video = single.transpose(1, 2).flatten(0, 1)[:, :, None]
        audio = self.store["audio"][index].float().transpose(1, 2)
        media = layout.media_positions(video.shape[2], *video.shape[3:], audio.shape[1], DEVICE).expand(len(index), -1, -1).clone()
        media[..., 0] += self.store["origin"][index, None]
        text = torch.zeros(len(index), length, 3, device=DEVICE)
        text[..., 0] = self.store["time"][index, :length]
        return {"video": layout.patchify(video), "audio": audio, "actor": actor, "text": self.store["text"][index, :length].float(),
                "position": torch.cat([text, media], 1)}
