"""Reads where an actor moves and what it does from the frames of a shot. Trained on rendered truth alone, by seeds that no other stage uses.

The recogniser's map of an actor's presence gives its place in each frame; a small network reads the action, the direction and the mark from that track.
It judges films (`evaluate.py`); it never sees a generated picture.

    python motion.py [--shots 1200]
"""
import argparse
import json
import pathlib
import time

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import grammar_shots
import picture
import recogniser
from training import CACHE, WORLD, threads

ACTIONS, POSITIONS, FACINGS = [a["id"] for a in WORLD["actions"]], WORLD["positions"], WORLD["facings"]
MOVING = ("walks", "runs", "flies")  # the actions that have a direction
PATH = CACHE / "motion.pt"
SEEDS = 2 ** 31 + 5 * 10 ** 6  # apart from the recogniser's and the report's
SHOTS, HELD_OUT_SHOTS, STEPS, BATCH = 1200, 200, 900, 64
SHARPNESS = 2.0  # of the softmax that turns a map of presence into a place


class Motion(nn.Module):
    """Tracks [n, 6, frames] -> logits of action [n, 6], facing [n, 2] and mark [n, 3]."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(6, 48, 5, padding=2), nn.ReLU(), nn.Conv1d(48, 64, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
                                  nn.Conv1d(64, 64, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(64 * (picture.FRAMES // 2), 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, len(ACTIONS) + 2 + 3))

    def forward(self, tracks: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.head(self.body(tracks).flatten(1)).split([len(ACTIONS), 2, 3], 1)


@torch.no_grad()
def tracks(judge: recogniser.Recogniser, frames: np.ndarray, actors: list[str]) -> np.ndarray:
    """Of frames uint8 [22, H, W, 3]: for each actor x, y (in pictures), spread of both, certainty, and how much changes about it: float32 [actors, 6, 22]."""
    if len(frames) < picture.FRAMES:
        frames = np.concatenate([frames, np.repeat(frames[-1:], picture.FRAMES - len(frames), 0)])
    maps = judge.presence(judge.body((torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float() - 128) / 64))
    h, w = maps.shape[2:]
    y, x = torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij")
    changed = np.abs(np.diff(frames.astype(np.float32), axis=0, prepend=frames[:1])).mean(3)
    changed = torch.from_numpy(np.stack([cv2.resize(c, (w, h), interpolation=cv2.INTER_AREA) for c in changed])) / 20
    out = []
    for actor in actors:
        score = maps[:, recogniser.ACTORS.index(actor)]
        p = torch.softmax(SHARPNESS * score.flatten(1), 1).view_as(score)
        mean = lambda v: (p * v).sum((1, 2))
        cx, cy = mean(x), mean(y)
        near = torch.exp(-((x - cx[:, None, None]) / 0.15) ** 2 - ((y - cy[:, None, None]) / 0.35) ** 2)
        out.append(torch.stack([cx, cy, (mean(x * x) - cx ** 2).clamp_min(0).sqrt(), (mean(y * y) - cy ** 2).clamp_min(0).sqrt(),
                                score.flatten(1).amax(1) / 8, (near * changed).sum((1, 2)) / near.sum((1, 2))]))
    return torch.stack(out).numpy().astype(np.float32)


def worse(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """All frames of a shot blurred and tinted alike, and each made noisy."""
    x = frames.astype(np.float32)
    if rng.random() < 0.7:
        x = np.stack([cv2.GaussianBlur(f, (0, 0), s) for s in [rng.uniform(0.5, 2.5)] for f in x])
    x = x * rng.uniform(0.9, 1.1, 3) + rng.uniform(-8, 8) + rng.normal(0, rng.uniform(0.1, 5), x.shape)
    return np.clip(x, 0, 255).astype(np.uint8)


def examples(judge, count: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Tracks [n, 6, 22] and labels int [n, 3] (action; facing, or -1 where nothing moves; mark) of the actors of `count` random shots."""
    found, labels = [], []
    for i in range(count):
        rng = np.random.default_rng([SEEDS, first + i])
        plan, shot, phones = grammar_shots.random_shot(rng)
        frames, _, truth = picture.render_shot(plan, shot, SEEDS + first + i, phones)
        found.append(tracks(judge, worse(rng, frames), truth["actors"]))
        labels += [(ACTIONS.index(a), FACINGS.index(f) if a in MOVING else -1, POSITIONS.index(p))
                   for a, f, p in zip(truth["actions"], truth["facings"], truth["positions"])]
    return np.concatenate(found), np.array(labels)


def correct(model: Motion, found: np.ndarray, labels: np.ndarray) -> dict:
    with torch.no_grad():
        action, facing, mark = (v.argmax(1).numpy() for v in model(torch.from_numpy(found)))
    moves = labels[:, 1] >= 0
    return {"action": float((action == labels[:, 0]).mean()), "direction": float((facing == labels[:, 1])[moves].mean()), "mark": float((mark == labels[:, 2]).mean())}


def train(shots: int = SHOTS, path: pathlib.Path = PATH) -> dict:
    """Trains and saves; returns the held-out shares."""
    judge, _ = recogniser.load()
    found, labels = examples(judge, shots, 0)
    held_out = examples(judge, HELD_OUT_SHOTS, 10 ** 6)
    torch.manual_seed(0)
    model, rng, start = Motion(), np.random.default_rng(1), time.time()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 50) * max(0.02, 1 - step / STEPS)
        chosen = rng.integers(0, len(found), BATCH)
        wanted = torch.from_numpy(labels[chosen])
        action, facing, mark = model(torch.from_numpy(found[chosen] + rng.normal(0, 0.005, found[chosen].shape).astype(np.float32)))
        loss = F.cross_entropy(action, wanted[:, 0]) + F.cross_entropy(facing, wanted[:, 1], ignore_index=-1) + F.cross_entropy(mark, wanted[:, 2])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    figures = correct(model.eval(), *held_out)
    torch.save({"weights": model.state_dict(), "held_out": figures, "shots": shots}, path)
    print(json.dumps({"seconds": round(time.time() - start), "shots": shots, **figures}), flush=True)
    return figures


def load(path: pathlib.Path = PATH) -> tuple[Motion, dict]:
    state, model = torch.load(path, map_location="cpu", weights_only=True), Motion()
    model.load_state_dict(state["weights"])
    return model.eval(), state["held_out"]


@torch.no_grad()
def read(model: Motion, judge, frames: np.ndarray, actors: list[str]) -> list[tuple[str, str, str]]:
    """(action, facing, mark) of each actor of a shot."""
    action, facing, mark = (v.argmax(1).tolist() for v in model(torch.from_numpy(tracks(judge, frames, actors))))
    return [(ACTIONS[a], FACINGS[f], POSITIONS[p]) for a, f, p in zip(action, facing, mark)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=SHOTS)
    threads(1)
    train(parser.parse_args().shots)
