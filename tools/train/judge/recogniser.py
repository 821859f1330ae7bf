"""A small network that reads place, time of day, weather, actors, props and moods from a frame, trained on rendered frames alone.

It judges films (`evaluate.py`), so it never sees a generated picture. Its training frames are rendered from seeds that no other stage uses and degraded by
H.264, blur, blocks, noise and colour shifts. The renderer's masks label each 8x8 cell, so the network also localises.

    python tools/train/run.py recogniser --minutes 8 [--frames 9000] [--device cuda] [--workers 2]
"""
import argparse
import json
import multiprocessing
import pathlib
import subprocess
import time

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from judge import judge_world as world
from judge.judge_world import ACTORS, CACHE, MOODS, PLACES, PROPS, TIMES, WEATHERS

PATH = CACHE / "recogniser.pt"
FRAMES, HELD_OUT, PER_SHOT = 9000, 600, 2
BATCH, SCENES, CROP, RATE = 32, 16, 64, 3e-3  # crops and whole frames per step; a crop's side in pixels; peak learning rate
CALIBRATION_FRAMES = 2000  # whole frames for `calibrate`
CELL = 8  # side in pixels
GRID = world.HEIGHT // CELL, world.WIDTH // CELL
THINGS = ACTORS + PROPS  # classes of a cell, after "nothing"
MIN_PIXELS = 40  # a thing with at least this many pixels counts as present
IGNORE = 255  # label that the loss ignores
SCENE = (("place", PLACES), ("time", TIMES), ("weather", WEATHERS))


def conv_block(inputs, outputs, size, stride, dilation=1):
    """Convolution, batch norm and ReLU, as a list of modules."""
    return [nn.Conv2d(inputs, outputs, size, stride, dilation * ((size - 1) // 2), dilation, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class Recogniser(nn.Module):
    """Frames [n, H, W, 3] of 0 … 255 (float or uint8; also crops with sides that are multiples of 8) -> the logits of `read` and `scenery`."""
    FEATURES, FINE = 112, 56

    def __init__(self):
        super().__init__()
        wide = self.FEATURES
        self.fine = nn.Sequential(*conv_block(3, 16, 5, 2), *conv_block(16, 40, 3, 2), *conv_block(40, self.FINE, 3, 1))
        self.body = nn.Sequential(*conv_block(self.FINE, 96, 3, 2), *conv_block(96, wide, 3, 1), *conv_block(wide, wide, 3, 1))
        self.thing = nn.Conv2d(wide, 1 + len(THINGS), 1)
        self.mood = nn.Conv2d(wide, len(MOODS), 1)
        self.sure = nn.Parameter(torch.tensor([[1.5], [-1.0]]).repeat(1, len(THINGS)))  # presence logit of a thing: slope, offset over the log of its cells
        self.view = nn.Sequential(*conv_block(3, 32, 8, 4), *conv_block(32, 64, 3, 2), *conv_block(64, 96, 3, 2), *conv_block(96, 96, 3, 1))
        self.scene = nn.Sequential(nn.Linear(2 * (32 + 64) + 9 * 96, 96), nn.ReLU(), nn.Linear(96, sum(len(names) for _, names in SCENE)))

    @staticmethod
    def planes(frames: torch.Tensor) -> torch.Tensor:
        """Frames [n, H, W, 3] -> normalised planes [n, 3, H, W]."""
        return ((frames.permute(0, 3, 1, 2).float() - 128) / 64).contiguous(memory_format=torch.channels_last)

    def features(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(fine [n, 56, H/4, W/4], cells [n, 112, H/8, W/8])."""
        fine = self.fine(self.planes(frames))
        return fine, self.body(fine)

    def read(self, frames: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits: things [n, 33, h, w] and moods [n, 6, h, w] per cell; presence [n, 32] per thing."""
        cells = self.features(frames)[1]
        things = self.thing(cells)
        area = torch.logsumexp(F.log_softmax(things, 1)[:, 1:].flatten(2), 2)  # log of the number of cells that show each
        return {"things": things, "moods": self.mood(cells), "presence": self.sure[0] * area + self.sure[1]}

    def scenery(self, frames: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of whole frames: place, time, weather [n, …]."""
        near = self.view[:3](self.planes(frames))
        middle = self.view[3:6](near)
        far = self.view[6:](middle)
        pooled = [x for v in (near, middle) for x in (v.mean((2, 3)), v.flatten(2).std(2))]
        pooled = torch.cat([*pooled, far.flatten(2).std(2), F.adaptive_avg_pool2d(far, (2, 4)).flatten(1)], 1)  # keeps where in the picture
        return dict(zip((name for name, _ in SCENE), self.scene(pooled).split([len(names) for _, names in SCENE], 1)))

    def forward(self, frames: torch.Tensor) -> dict[str, torch.Tensor]:
        """All logits of whole frames."""
        return {**self.scenery(frames), **self.read(frames)}


# ---- frames of the renderer

def labels_of(mask: np.ndarray, truth: dict, plan: dict) -> dict:
    """Labels of a frame: cells uint8 [h, w] (0 nothing, i + 1 THINGS[i], IGNORE), moods uint8 [h, w] (IGNORE where there is no actor), present [32], and the
    scene's."""
    h, w = GRID
    inside = mask.reshape(h, CELL, w, CELL).transpose(0, 2, 1, 3).reshape(h, w, -1)
    counts = np.stack([(inside == i).sum(2) for i in range(len(truth["entities"]) + 1)], 2)
    best = counts[..., 1:].argmax(2) + 1 if counts.shape[2] > 1 else np.zeros((h, w), int)
    most = np.take_along_axis(counts, best[..., None], 2)[..., 0] if counts.shape[2] > 1 else np.zeros((h, w), int)
    of = np.array([0, *(1 + THINGS.index(e["who"]) for e in truth["entities"])], np.uint8)
    cells = np.where(most >= 20, of[best], np.where(most > 3, IGNORE, 0)).astype(np.uint8)
    feels = [MOODS.index(m.get("mood", MOODS[0])) for m in plan["shots"][0]["cast"]]
    mood_of = np.array([IGNORE, *feels, *[IGNORE] * (len(of) - 1 - len(feels))], np.uint8)
    moods = np.where(most >= 20, mood_of[best], IGNORE).astype(np.uint8)
    present = np.zeros(len(THINGS), np.uint8)
    for i, e in enumerate(truth["entities"]):  # absent when out of the picture; ignored when barely visible
        seen = int((mask == i + 1).sum())
        present[THINGS.index(e["who"])] = 1 if seen >= MIN_PIXELS else IGNORE if seen > 4 else 0
    return {"cells": cells, "moods": moods, "present": present, **{name: np.int64(names.index(truth[name])) for name, names in SCENE}}


def render(first: int, count: int) -> dict:
    """Renders `count` frames of random shots, PER_SHOT of each, from seed `first` on: {frames uint8 [count, H, W, 3], and the labels}."""
    found = []
    for i in range(-(-count // PER_SHOT)):
        rng = np.random.default_rng([world.SEEDS, first + i])
        plan = world.random_plan(rng)
        frames, masks, truth = world.render_frames(plan, 0, world.SEEDS + first + i, sorted(rng.choice(world.FRAMES, PER_SHOT, replace=False)))
        found += [{"frames": f, **labels_of(m, truth, plan)} for f, m in zip(frames, masks)]
    return {key: np.stack([r[key] for r in found[:count]]) for key in found[0]}


def render_parallel(first: int, count: int, workers: int) -> dict:
    """`render` in several processes."""
    if workers < 2:
        return render(first, count)
    each = -(-count // workers // PER_SHOT) * PER_SHOT
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        parts = pool.starmap(render, [(first + i * each, min(each, count - i * each)) for i in range(workers) if count > i * each])
    return {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}


def through_h264(frames: np.ndarray, quality: int) -> np.ndarray:
    """Frames [n, H, W, 3] encoded one by one at this CRF and decoded."""
    n, height, width, _ = frames.shape
    size = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error"]
    coded = subprocess.run([*quiet, *size, "-i", "-", "-c:v", "libx264", "-g", "1", "-preset", "veryfast", "-threads", "1", "-crf", str(quality),
                            "-pix_fmt", "yuv420p", "-f", "h264", "-"], input=frames.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    raw = subprocess.run([*quiet, "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], input=coded, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(n, height, width, 3)


def degrade(frames: torch.Tensor, generator: torch.Generator, alike: bool = False) -> torch.Tensor:
    """Float frames [n, H, W, 3] of 0 … 255 with random blur, blocks, tint and noise: independently per frame, or with `alike` the same for all, as in one
    shot."""
    n, h, w, _ = frames.shape
    device, ways = frames.device, 1 if alike else n
    uniform = lambda low, high, *shape: (low + (high - low) * torch.rand((ways, *shape), generator=generator, device=device)).expand(n, *shape)
    normal = lambda *shape: torch.randn((n, *shape), generator=generator, device=device)
    x = frames.permute(0, 3, 1, 2)
    sigma = torch.where(uniform(0, 1) < 0.6, uniform(0.4, 2.3), torch.full((n,), 0.05, device=device))
    taps = torch.exp(-0.5 * (torch.arange(-5, 6, device=device)[None] / sigma[:, None]) ** 2)
    taps = (taps / taps.sum(1, keepdim=True)).repeat_interleave(3, 0)
    x = x.reshape(1, 3 * n, h, w)
    x = F.conv2d(F.pad(x, (5, 5, 0, 0), mode="replicate"), taps[:, None, None], groups=3 * n)
    x = F.conv2d(F.pad(x, (0, 0, 5, 5), mode="replicate"), taps[:, None, :, None], groups=3 * n).reshape(n, 3, h, w)
    for side in (8, 16, 32):  # generated patches differ in level and shade
        level = uniform(0, 1, 1, 1, 1) ** 3 * (4 if alike else 9)
        x = x + F.interpolate(normal(3, h // side, w // side) * level, scale_factor=side, mode="nearest")
    x = x * uniform(0.87, 1.13, 3, 1, 1) + uniform(-10, 10, 3, 1, 1) + normal(3, h, w) * uniform(0, 8, 1, 1, 1)
    return x.clamp(0, 255).permute(0, 2, 3, 1)


# ---- training

def crop(labels: dict, chosen: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, dict]:
    """Random crops of the frames `chosen` [n], mostly around something: pixel rows and columns [n, CROP], and labels {cells [n, h, w], moods [n, h, w],
    present [n, 32]}."""
    cells, device, side = labels["cells"][chosen], chosen.device, CROP // CELL
    n, (h, w) = len(chosen), GRID
    shown = (cells > 0) & (cells != IGNORE)
    one_of = torch.rand(n, 1, generator=generator, device=device) * torch.rand(n, 1 + len(THINGS), generator=generator, device=device)
    there = F.one_hot(torch.where(shown, cells, 0).long().flatten(1), 1 + len(THINGS)).amax(1).bool()  # draw a thing first, then one of its cells
    there[:, 0] = torch.rand(n, generator=generator, device=device) < 0.25
    wanted = torch.where(there, one_of, -1).argmax(1)
    score = torch.rand(n, h * w, generator=generator, device=device) + (cells.flatten(1) == wanted[:, None])
    at = score.argmax(1)
    jitter = torch.randint(1, side - 1, (2, n), generator=generator, device=device)
    top, left = (at // w - jitter[0]).clamp(0, h - side), (at % w - jitter[1]).clamp(0, w - side)
    span, rows = torch.arange(side, device=device), torch.arange(n, device=device)[:, None, None]
    y, x = top[:, None] + span, left[:, None] + span
    part = {k: labels[k][chosen][rows, y[:, :, None], x[:, None, :]] for k in ("cells", "moods")}
    inside = F.one_hot(torch.where(part["cells"] == IGNORE, 0, part["cells"]).long().flatten(1), 1 + len(THINGS)).amax(1)[:, 1:]
    whole = labels["present"][chosen]
    part["present"] = torch.where(inside > 0, 1, torch.where(whole == 0, 0, IGNORE))  # ignore what is elsewhere in the frame
    pixels = torch.arange(CROP, device=device)
    return top[:, None] * CELL + pixels, left[:, None] * CELL + pixels, part


def loss_function(said: dict, labels: dict) -> torch.Tensor:
    """Loss of crops; labels as returned by `crop`."""
    background = torch.ones(1 + len(THINGS), device=said["things"].device)
    background[0] = 0.3
    cells = F.cross_entropy(said["things"], labels["cells"].long(), background, ignore_index=IGNORE)
    moods = F.cross_entropy(said["moods"], labels["moods"].long(), ignore_index=IGNORE)
    asked = labels["present"] != IGNORE
    presence = F.binary_cross_entropy_with_logits(said["presence"][asked], labels["present"][asked].float())
    return cells + 0.5 * torch.nan_to_num(moods) + 2 * presence


def calibrate(model: Recogniser, frames: torch.Tensor, present: torch.Tensor) -> None:
    """Fits slope and offset of the presence logits on whole frames uint8 [n, H, W, 3]; training crops are smaller. present: [n, 32]."""
    slope, offset = model.sure.detach().clone()
    with torch.no_grad():
        area = torch.cat([(model.read(part)["presence"] - offset) / slope for part in frames.split(50)])
    sure, asked = torch.stack([slope, offset]).requires_grad_(), present != IGNORE
    optimiser = torch.optim.LBFGS([sure], max_iter=60, line_search_fn="strong_wolfe")

    def error():
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits((sure[0] * area + sure[1])[asked], present[asked].float()) + 1e-4 * sure.square().mean()
        loss.backward()
        return loss

    optimiser.step(error)
    model.sure.data.copy_(sure.detach())


@torch.no_grad()
def accuracy(model: Recogniser, frames: np.ndarray, labels: dict) -> dict:
    """Accuracy over single frames: place, time, weather, the whole set of actors, the whole set of props, and the mood of a lone actor."""
    device, right = next(model.parameters()).device, {name: [] for name in ("place", "time", "weather", "actors", "props", "mood")}
    for start in range(0, len(frames), 50):
        said = {k: v.cpu() for k, v in model(torch.from_numpy(frames[start:start + 50]).to(device)).items()}
        wanted = {k: torch.from_numpy(v[start:start + 50]) for k, v in labels.items()}
        for name, _ in SCENE:
            right[name] += (said[name].argmax(1) == wanted[name]).tolist()
        same = ((said["presence"] > 0) == (wanted["present"] == 1)) | (wanted["present"] == IGNORE)
        right["actors"] += same[:, :len(ACTORS)].all(1).tolist()
        right["props"] += same[:, len(ACTORS):].all(1).tolist()
        for i in torch.nonzero(wanted["present"][:, :len(ACTORS)].sum(1) == 1)[:, 0].tolist():
            feels = wanted["moods"][i][wanted["moods"][i] != IGNORE]
            if len(feels):
                right["mood"].append(mood_of(said["things"][i:i + 1], said["moods"][i:i + 1],
                                             int(wanted["present"][i, :len(ACTORS)].argmax())) == MOODS[int(feels[0])])
    return {name: round(float(np.mean(v)), 4) for name, v in right.items()}


def mood_of(things: torch.Tensor, moods: torch.Tensor, actor: int) -> str:
    """The most likely mood of an actor over frames: log-probabilities of moods [n, 6, h, w], weighted by how surely each cell shows the actor."""
    weight = torch.softmax(things, 1)[:, 1 + actor]
    return MOODS[int((weight[:, None] * torch.log_softmax(moods, 1)).sum((0, 2, 3)).argmax())]


def train(minutes: float, count: int = FRAMES, device: str = "cpu", workers: int = 1, path: pathlib.Path = PATH) -> dict:
    """Renders `count` frames, trains for `minutes`, saves the weights and returns the held-out accuracies."""
    begin = time.time()
    labels, held_labels = render_parallel(0, count, workers), render_parallel(10 ** 6, HELD_OUT, 1)
    frames, held_out = labels.pop("frames"), held_labels.pop("frames")
    draw = np.random.default_rng(1)
    coded = np.concatenate([through_h264(part, int(draw.integers(18, 36))) for part in np.array_split(frames, 20)])
    print(json.dumps({"frames": count, "seconds": round(time.time() - begin)}), flush=True)
    torch.manual_seed(1)
    generator, model = torch.Generator(device).manual_seed(1), Recogniser().to(device, memory_format=torch.channels_last)
    tensors = {k: torch.from_numpy(v).to(device) for k, v in labels.items()}
    frames, coded = torch.from_numpy(frames).to(device), torch.from_numpy(coded).to(device)
    scale = 1 if device == "cpu" else 8
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-2)
    begin, step = time.time(), 0

    def drawn(count):
        """Random frame indices, and for each whether to take the H.264 version."""
        return torch.randint(len(frames), (count,), generator=generator, device=device), torch.rand(count, generator=generator, device=device) < 0.6

    def picked(chosen, from_coded, rows, columns):
        """Crops float [n, CROP, CROP, 3] of the frames `chosen` [n], from their H.264 versions where `from_coded`."""
        y, x = rows[:, :, None], columns[:, None, :]
        return torch.where(from_coded.view(-1, 1, 1, 1), coded[chosen[:, None, None], y, x], frames[chosen[:, None, None], y, x]).float()

    while (elapsed := time.time() - begin) < minutes * 60:
        optimiser.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 100) * max(0.01, 1 - elapsed / (minutes * 60))
        chosen, kind = drawn(BATCH * scale)
        rows, columns, part = crop(tensors, chosen, generator)
        loss = loss_function(model.read(degrade(picked(chosen, kind, rows, columns), generator)), part)
        if step % 2 == 0:
            chosen, kind = drawn(SCENES * scale)
            said = model.scenery(degrade(torch.where(kind.view(-1, 1, 1, 1), coded[chosen], frames[chosen]).float(), generator))
            loss = loss + sum(F.cross_entropy(said[name], tensors[name][chosen]) for name, _ in SCENE)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 200 == 0:
            print(json.dumps({"step": step, "minutes": round(elapsed / 60, 2), "loss": round(loss.item(), 3)}), flush=True)
    model.eval()
    calibrate(model, coded[:CALIBRATION_FRAMES], tensors["present"][:CALIBRATION_FRAMES])
    figures = {"clean": accuracy(model, held_out, held_labels), "h264_crf28": accuracy(model, through_h264(held_out, 28), held_labels),
               "blurred": accuracy(model, np.stack([cv2.GaussianBlur(f, (0, 0), 2.0) for f in held_out]), held_labels)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"weights": {k: v.cpu() for k, v in model.state_dict().items()}, "held_out": figures, "steps": step, "frames": count}, path)
    print(json.dumps({"steps": step, **figures}), flush=True)
    return figures


def load(path: pathlib.Path = PATH) -> tuple[Recogniser, dict]:
    """The trained recogniser and its held-out accuracies."""
    state, model = torch.load(path, map_location="cpu", weights_only=True), Recogniser()
    model.load_state_dict(state["weights"])
    return model.eval(), state["held_out"]


# ---- judging

@torch.no_grad()
def judge(model: Recogniser, frames: np.ndarray, cast_size: int) -> dict:
    """Reads frames [n, H, W, 3] of one shot, averaged over the frames: place, time, weather, the `cast_size` most likely actors, the props, and these actors'
    moods."""
    said = model(torch.from_numpy(frames.copy()))
    scene = {name: names[int(torch.log_softmax(said[name], 1).mean(0).argmax())] for name, names in SCENE}
    presence = said["presence"].mean(0)
    actors = presence[:len(ACTORS)].topk(cast_size).indices.tolist()
    return {**scene, "actors": {ACTORS[i] for i in actors}, "props": {p for p, v in zip(PROPS, presence[len(ACTORS):].tolist()) if v > 0},
            "moods": {ACTORS[i]: mood_of(said["things"], said["moods"], i) for i in actors}}


def main():
    """`run.py recogniser`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="rendering processes")
    parser.add_argument("--out", type=pathlib.Path, default=PATH)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    train(options.minutes, options.frames, options.device, options.workers, options.out)
