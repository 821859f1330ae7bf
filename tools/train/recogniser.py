"""A small network that reads place, time of day and actors from a frame, trained on rendered truth alone.

It judges films (`evaluate.py`), so it never sees a generated picture: its frames come from the world's renderer, by seeds that no other stage
uses, made worse by H.264, blur, noise and colour shifts.

    python recogniser.py --minutes 6
"""
import argparse
import json
import pathlib
import subprocess
import time

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import grammar_shots
import picture
from training import CACHE, WORLD

PLACES = [p["id"] for p in WORLD["places"]]
TIMES = WORLD["times"]
ACTORS = [a["id"] for a in WORLD["actors"]]
PATH = CACHE / "recogniser.pt"
FILM_SEEDS = 2 ** 31  # the renderer's seeds of this file start here; no other stage draws any as high
TRAIN_SHOTS, HELD_OUT_SHOTS, BATCH = 5000, 400, 32


class Recogniser(nn.Module):
    """uint8 frames [n, H, W, 3] -> logits of place [n, 6], time [n, 2] and of each actor's presence [n, 8]."""

    def __init__(self):
        super().__init__()
        layers, width = [], 3
        for out, size, stride in ((32, 8, 4), (48, 3, 1), (64, 3, 2), (96, 3, 1), (128, 3, 2)):
            layers += [nn.Conv2d(width, out, size, stride, (size - 1) // 2), nn.BatchNorm2d(out), nn.ReLU()]
            width = out
        self.body = nn.Sequential(*layers)
        self.scene = nn.Linear(width, len(PLACES) + len(TIMES))
        self.presence = nn.Conv2d(width, len(ACTORS), 3, 1, 1)  # an actor is somewhere: the strongest spot decides

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = self.body((frames.permute(0, 3, 1, 2).float() - 128) / 64)
        scene = self.scene(x.mean((2, 3)))
        return scene[:, :len(PLACES)], scene[:, len(PLACES):], torch.logsumexp(self.presence(x).flatten(2), 2) - 4


def render(count: int, first_seed: int) -> tuple[np.ndarray, dict]:
    """One frame each of `count` random shots: uint8 [count, H, W, 3] and their labels."""
    frames, place, hour, actors = [], [], [], np.zeros((count, len(ACTORS)), np.float32)
    for i in range(count):
        rng = np.random.default_rng([FILM_SEEDS, first_seed + i])
        plan, shot, phones = grammar_shots.random_shot(rng)
        picture_frames, mask, truth = picture.render_shot(plan, shot, FILM_SEEDS + first_seed + i, phones, [int(rng.integers(picture.FRAMES))])
        frames.append(picture_frames[0])
        place.append(PLACES.index(truth["place"]))
        hour.append(TIMES.index(truth["time"]))
        for k, actor in enumerate(truth["actors"]):  # one that has run out of the picture is not there
            actors[i, ACTORS.index(actor)] = (mask[0] == k + 1).sum() > 150
    return np.stack(frames), {"place": np.array(place), "time": np.array(hour), "actors": actors}


def through_h264(frames: np.ndarray, quality: int) -> np.ndarray:
    """Frames [n, H, W, 3] encoded one by one at this CRF, and decoded."""
    n, height, width, _ = frames.shape
    size = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error"]
    coded = subprocess.run([*quiet, *size, "-i", "-", "-c:v", "libx264", "-g", "1", "-preset", "veryfast", "-threads", "1", "-crf", str(quality),
                            "-pix_fmt", "yuv420p", "-f", "h264", "-"], input=frames.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    raw = subprocess.run([*quiet, "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], input=coded, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(n, height, width, 3)


def worsen(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
    """A frame blurred, tinted and made noisy at random."""
    x = frame.astype(np.float32)
    if rng.random() < 0.6:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.5, 2.5))
    x = x * rng.uniform(0.85, 1.15, 3) + rng.uniform(-12, 12)
    x += rng.normal(0, rng.uniform(0, 8), x.shape)
    return np.clip(x, 0, 255).astype(np.uint8)


def correct(model: Recogniser, frames: np.ndarray, labels: dict) -> dict:
    """Shares of right places, times and sets of actors over single frames."""
    with torch.no_grad():
        place, hour, actors = (torch.cat(v) for v in zip(*(model(torch.from_numpy(part)) for part in np.array_split(frames, 8))))
    right = (actors > 0).numpy() == (labels["actors"] > 0)
    return {"place": float((place.argmax(1).numpy() == labels["place"]).mean()), "time": float((hour.argmax(1).numpy() == labels["time"]).mean()),
            "actors": float(right.all(1).mean())}


def train(minutes: float, path: pathlib.Path = PATH) -> dict:
    """Trains for `minutes` beside the rendering of its frames, saves the weights, returns the held-out shares."""
    torch.manual_seed(1)
    rng, model = np.random.default_rng(1), Recogniser()
    frames, labels = render(TRAIN_SHOTS, 0)
    coded = np.concatenate([through_h264(part, int(rng.integers(18, 36))) for part in np.array_split(frames, 20)])
    held_out, held_labels = render(HELD_OUT_SHOTS, 10 ** 6)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-3)
    begin, step = time.time(), 0
    while (elapsed := time.time() - begin) < minutes * 60:
        optimiser.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 50) * max(0.02, 1 - elapsed / (minutes * 60))
        chosen = rng.integers(0, len(frames), BATCH)
        batch = np.stack([worsen(rng, (coded if rng.random() < 0.7 else frames)[i]) for i in chosen])
        place, hour, actors = model(torch.from_numpy(batch))
        loss = (F.cross_entropy(place, torch.from_numpy(labels["place"][chosen])) + F.cross_entropy(hour, torch.from_numpy(labels["time"][chosen]))
                + 4 * F.binary_cross_entropy_with_logits(actors, torch.from_numpy(labels["actors"][chosen])))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 100 == 0:
            print(json.dumps({"step": step, "minutes": round(elapsed / 60, 2), "loss": round(loss.item(), 3)}), flush=True)
    model.eval()
    figures = {"clean": correct(model, held_out, held_labels), "h264_crf28": correct(model, through_h264(held_out, 28), held_labels),
               "blurred": correct(model, np.stack([cv2.GaussianBlur(f, (0, 0), 2.0) for f in held_out]), held_labels)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"weights": model.state_dict(), "held_out": figures, "steps": step}, path)
    print(json.dumps(figures))
    return figures


def load(path: pathlib.Path = PATH) -> tuple[Recogniser, dict]:
    """The trained recogniser and its held-out shares."""
    state, model = torch.load(path, map_location="cpu", weights_only=True), Recogniser()
    model.load_state_dict(state["weights"])
    return model.eval(), state["held_out"]


@torch.no_grad()
def judge(model: Recogniser, frames: np.ndarray, cast_size: int) -> dict:
    """What frames [n, H, W, 3] of one shot show: place, time and the `cast_size` likeliest actors, by the mean over the frames."""
    place, hour, actors = (torch.log_softmax(v, 1).mean(0) if i < 2 else v.mean(0) for i, v in enumerate(model(torch.from_numpy(frames.copy()))))
    return {"place": PLACES[place.argmax()], "time": TIMES[hour.argmax()], "actors": {ACTORS[i] for i in actors.topk(cast_size).indices}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6)
    torch.set_num_threads(1)
    train(parser.parse_args().minutes)
