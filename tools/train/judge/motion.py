"""Reads the movement and action of each actor from the frames of a shot. Trained on rendered truth alone, from seeds that no other stage uses.

The recogniser locates an actor's cells in every frame, which gives a track: positions and appearance over time. A small network reads action, direction and
mark from the track. It judges films (`evaluate.py`) and never sees a generated picture.

    python tools/train/run.py motion [--shots 2400] [--workers 2] [--device cuda]
"""
import argparse
import hashlib
import json
import multiprocessing
import pathlib
import time

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from judge import judge_world as world, recogniser
from judge.judge_world import ACTIONS, CACHE, FACINGS, FRAMES, PAIRS, POSITIONS

MOVING = ("walks", "runs", "flies", "swims", "chases")  # actions with a direction
PATH = CACHE / "motion.pt"
SEEDS = world.SEEDS + 5 * 10 ** 6  # apart from the recogniser's and the report's seeds
SHOTS, HELD_OUT_SHOTS, PART, STEPS, BATCH = 2400, 200, 100, 2000, 64
SUBTLE = ("stands", "sleeps", "runs")  # lone actors' actions that are hard to tell apart
PLAIN = 12  # channels of a track before the appearance features
WIDE = PLAIN + recogniser.Recogniser.FEATURES + recogniser.Recogniser.FINE


class Motion(nn.Module):
    """Tracks [n, WIDE, FRAMES] -> logits of action [n, 11], facing [n, 2] and mark [n, 3]."""

    def __init__(self):
        super().__init__()
        self.plain = nn.Conv1d(PLAIN, 32, 1)
        self.look = nn.Sequential(nn.Dropout(0.1), nn.Conv1d(WIDE - PLAIN, 32, 1))
        self.body = nn.Sequential(nn.ReLU(), nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(), nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
                                  nn.Conv1d(64, 64, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(64 * (FRAMES // 2), 96), nn.ReLU(), nn.Dropout(0.3), nn.Linear(96, len(ACTIONS) + 2 + 3))
        self.register_buffer("mean", torch.zeros(WIDE, 1))
        self.register_buffer("std", torch.ones(WIDE, 1))

    def forward(self, tracks: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(action, facing, mark) logits."""
        x = (tracks - self.mean) / self.std
        x = torch.cat([self.plain(x[:, :PLAIN]), self.look(x[:, PLAIN:])], 1)
        return self.head(self.body(x).flatten(1)).split([len(ACTIONS), 2, 3], 1)


def camera_motion(frames: np.ndarray) -> np.ndarray:
    """Motion of the whole picture between consecutive frames, float32 [2, n] (x, y), in sixteenths of the picture: what a moving camera adds to every track."""
    small = [cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (world.WIDTH // 2, world.HEIGHT // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
             for f in frames]
    window = cv2.createHanningWindow((world.WIDTH // 2, world.HEIGHT // 2), cv2.CV_32F)
    found = [(0.0, 0.0)] + [cv2.phaseCorrelate(a, b, window)[0] for a, b in zip(small, small[1:])]
    return np.clip(np.array(found, np.float32).T / (world.WIDTH / 32), -2, 2)


@torch.no_grad()
def tracks(judge: recogniser.Recogniser, frames: np.ndarray, actors: list[str]) -> np.ndarray:
    """Tracks of `actors` in frames uint8 [n, H, W, 3] (the last frame repeated up to FRAMES): float32 [actors, WIDE, FRAMES].

    Channels: x, y (in pictures), their spreads, area, change around the actor and in the whole picture, camera motion, offset of the other actor, and the
    means of the recogniser's features over the actor's cells."""
    if len(frames) < FRAMES:
        frames = np.concatenate([frames, np.repeat(frames[-1:], FRAMES - len(frames), 0)])
    frames = np.ascontiguousarray(frames[:FRAMES])
    fine, cells = judge.features(torch.from_numpy(frames))
    log_share = F.log_softmax(judge.thing(cells), 1)
    fine = F.avg_pool2d(fine, 2)
    h, w = cells.shape[2:]
    y, x = torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij")
    changed = np.abs(np.diff(frames.astype(np.int16), axis=0, prepend=frames[:1].astype(np.int16))).mean(3).astype(np.float32)
    changed = torch.from_numpy(np.stack([cv2.resize(c, (w, h), interpolation=cv2.INTER_AREA) for c in changed])) / 20
    moved = torch.from_numpy(camera_motion(frames))
    plain, looks = [], []
    for actor in actors:
        score = log_share[:, 1 + recogniser.THINGS.index(actor)]
        p = torch.softmax(score.flatten(1), 1).view_as(score)
        mean = lambda v: (p * v).sum((1, 2))
        cx, cy = mean(x), mean(y)
        near = torch.exp(-((x - cx[:, None, None]) / 0.12) ** 2 - ((y - cy[:, None, None]) / 0.3) ** 2)
        plain.append(torch.stack([cx, cy, (mean(x * x) - cx ** 2).clamp_min(0).sqrt(), (mean(y * y) - cy ** 2).clamp_min(0).sqrt(),
                                  torch.logsumexp(score.flatten(1), 1) / 4, (near * changed).sum((1, 2)) / near.sum((1, 2)), changed.mean((1, 2)), *moved]))
        looks.append(torch.cat([(v.flatten(2) @ p.flatten(1)[..., None])[..., 0] for v in (cells, fine)], 1).T)
    nobody = torch.zeros(FRAMES)
    other = [[plain[1 - i][0] - plain[i][0], plain[1 - i][1] - plain[i][1], nobody + 1] if len(actors) == 2 else [nobody] * 3 for i in range(len(actors))]
    return torch.stack([torch.cat([a, torch.stack(b), c]) for a, b, c in zip(plain, other, looks)]).numpy().astype(np.float32)


def random_plan(rng: np.random.Generator, evenly: bool) -> dict:
    """A random plan; unless `evenly`, biased towards two actors and actions that are hard to tell apart."""
    while True:
        plan = world.random_plan(rng)
        if evenly or len(plan["shots"][0]["cast"]) == 2 or plan["shots"][0]["action_beats"][0]["what"] in SUBTLE or rng.random() < 0.4:
            return plan


def examples(first: int, count: int, evenly: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training examples from `count` random, degraded shots from seed `first` on: tracks float32 [n, WIDE, FRAMES], labels int [n, 3] (action; facing, -1
    without a direction; mark), and whether the actor is alone [n]. Cached under the hash of the recogniser that made them."""
    judge, (found, labels, alone) = recogniser.load()[0], ([], [], [])
    parts = [v.numpy().tobytes() for part in (judge.fine, judge.body, judge.thing) for v in part.state_dict().values()]  # tracks depend on these weights
    name = hashlib.sha256(b"".join(parts)).hexdigest()[:12]
    path = CACHE / "tracks" / f"{name}_{first}_{count}{'_evenly' * evenly}.npz"
    if path.exists():
        kept = np.load(path)
        return tuple(kept[k] for k in ("found", "labels", "alone"))
    torch.set_num_threads(1)
    for i in range(count):
        rng, generator = np.random.default_rng([SEEDS, first + i]), torch.Generator().manual_seed(first + i)
        plan = random_plan(rng, evenly)
        frames, _, truth = world.render_frames(plan, 0, SEEDS + first + i)
        worse = frames if rng.random() < 0.25 else recogniser.degrade(torch.from_numpy(frames).float(), generator, alike=True).byte().numpy()
        found.append(tracks(judge, worse, truth["actors"]))
        labels += [(ACTIONS.index(a), FACINGS.index(f) if a in MOVING else -1, POSITIONS.index(p))
                   for a, f, p in zip(truth["actions"], truth["facings"], truth["positions"])]
        alone += [len(truth["actors"]) == 1] * len(truth["actors"])
    made = {"found": np.concatenate(found), "labels": np.array(labels), "alone": np.array(alone)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **made)
    return tuple(made.values())


def mask_pair_actions(action: torch.Tensor, alone) -> torch.Tensor:
    """Action logits [n, 11] with actions that need two actors masked out where `alone` (bool [n])."""
    pairs = torch.tensor([a in PAIRS for a in ACTIONS])
    return action.masked_fill(torch.as_tensor(alone)[:, None] & pairs, -1e4)


@torch.no_grad()
def accuracy(model: Motion, found: np.ndarray, labels: np.ndarray, alone: np.ndarray) -> dict:
    """Held-out accuracies: action, action of lone actors, direction, mark."""
    action, facing, mark = model(torch.from_numpy(found))
    right, moves = (mask_pair_actions(action, alone).argmax(1).numpy() == labels[:, 0]), labels[:, 1] >= 0
    return {"action": float(right.mean()), "lone action": float(right[alone].mean()),
            "direction": float((facing.argmax(1).numpy() == labels[:, 1])[moves].mean()),
            "mark": float((mark.argmax(1).numpy() == labels[:, 2]).mean())}


def train(shots: int = SHOTS, workers: int = 1, device: str = "cpu", path: pathlib.Path = PATH) -> dict:
    """Trains, saves, and returns the held-out accuracies."""
    start = time.time()
    parts = [(first, PART) for first in range(0, shots, PART)] + [(10 ** 6, HELD_OUT_SHOTS, True)]
    if workers > 1:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            made = pool.starmap(examples, parts, chunksize=1)
    else:
        made = [examples(*part) for part in parts]
    held_out = made.pop()
    found, labels, _ = (np.concatenate(v) for v in zip(*made))
    print(json.dumps({"tracks": len(found), "seconds": round(time.time() - start)}), flush=True)
    torch.manual_seed(0)
    model, start, generator = Motion(), time.time(), torch.Generator(device).manual_seed(1)
    model.mean.copy_(torch.from_numpy(found.mean((0, 2)))[:, None])
    model.std.copy_(torch.from_numpy(found.std((0, 2)))[:, None] + 1e-4)
    model = model.to(device)
    found, labels = torch.from_numpy(found).to(device), torch.from_numpy(labels).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 50) * max(0.02, 1 - step / STEPS)
        chosen = torch.randint(len(found), (BATCH,), generator=generator, device=device)
        noise = 0.05 * model.std * torch.randn(found[chosen].shape, generator=generator, device=device)
        action, facing, mark = model(found[chosen] + noise)
        wanted = labels[chosen]
        loss = 2 * F.cross_entropy(action, wanted[:, 0]) + F.cross_entropy(facing, wanted[:, 1], ignore_index=-1) + F.cross_entropy(mark, wanted[:, 2])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model = model.cpu().eval()
    figures = accuracy(model, *held_out)
    torch.save({"weights": model.state_dict(), "held_out": figures, "shots": shots}, path)
    print(json.dumps({"seconds": round(time.time() - start), "shots": shots, **figures}), flush=True)
    said = mask_pair_actions(model(torch.from_numpy(held_out[0]))[0], held_out[2]).argmax(1).numpy()
    for wanted in range(len(ACTIONS)):
        read = np.bincount(said[held_out[1][:, 0] == wanted], minlength=len(ACTIONS))
        print(f"{ACTIONS[wanted]:>8}: " + ", ".join(f"{ACTIONS[i]} {n}" for i, n in enumerate(read) if n), flush=True)
    return figures


def load(path: pathlib.Path = PATH) -> tuple[Motion, dict]:
    """The trained network and its held-out accuracies."""
    state, model = torch.load(path, map_location="cpu", weights_only=True), Motion()
    model.load_state_dict(state["weights"])
    return model.eval(), state["held_out"]


@torch.no_grad()
def read(model: Motion, judge, frames: np.ndarray, actors: list[str]) -> list[tuple[str, str, str, float]]:
    """(action, facing, mark, starting x in pictures) of each actor of a shot."""
    found = tracks(judge, frames, actors)
    action, facing, mark = model(torch.from_numpy(found))
    action = mask_pair_actions(action, [len(actors) == 1] * len(actors))
    begins = np.median(found[:, 0, :5], 1).tolist()
    return [(ACTIONS[a], FACINGS[f], POSITIONS[p], x) for a, f, p, x in zip(*(v.argmax(1).tolist() for v in (action, facing, mark)), begins)]


def main():
    """`run.py motion`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=SHOTS)
    parser.add_argument("--workers", type=int, default=1, help="processes that extract tracks")
    parser.add_argument("--device", default="cpu", help="device for training; tracks are extracted on the CPU")
    parser.add_argument("--out", type=pathlib.Path, default=PATH)
    options = parser.parse_args()
    torch.set_num_threads(1)
    train(options.shots, options.workers, options.device, options.out)
