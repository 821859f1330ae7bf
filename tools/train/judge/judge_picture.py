"""Judges the pictures of a shot: who, where, when, weather and mood (`recogniser.py`), what each actor does (`motion.py`), whether a character keeps its looks,
flicker, and how visible patch borders are.
"""
import functools
import subprocess

import cv2
import diffusers
import numpy as np
import torch

from common.training import autocast
from judge import judge_world as world, motion, recogniser
from networks import video_vae

JUDGED_FRAMES = (6, 13, 19, 26, 33)  # judged frames of a shot, at the model's own rate
BORDERS = (8, 16, 32)  # pixels: one latent, one and two transformer patches


def load_vae(bundle):
    """A bundle's video autoencoder in diffusers. Residual branches of the encoder that end in zeros are removed: the same latents in a fifth of the time."""
    vae = diffusers.AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae").float().eval()
    vae.disable_tiling()
    for block in vae.encoder.down_blocks:
        for i, branch in enumerate(block.resnets):
            if not branch.conv2.weight.any() and not branch.conv2.bias.any():
                block.resnets[i] = torch.nn.Identity() if branch.conv_shortcut is None else branch.conv_shortcut
    return vae


@torch.no_grad()
def through_autoencoder(vae, frames: np.ndarray) -> np.ndarray:
    """Frames uint8 [n, H, W, 3], encoded and decoded by the video autoencoder."""
    with autocast():
        return video_vae.to_pixels(video_vae.drop_leading_frames(video_vae.decode(vae, video_vae.moments(vae, video_vae.to_model(frames))[0]))[0])


@functools.cache
def judges():
    """(recogniser, its held-out accuracies, motion reader, its held-out accuracies)."""
    return *recogniser.load(), *motion.load()


def expected(plan: dict, shot: dict) -> dict:
    """What a shot of a plan should show; actors: {id: (action, facing, mark)}."""
    place, beats = world.place_of(plan, shot), {b["who"]: b["what"] for b in shot["action_beats"]}
    return {"place": place["id"], "time": place["time_of_day"], "weather": place["weather"], "props": {p["id"] for p in shot.get("props", [])},
            "moods": {m["id"]: m.get("mood", world.MOODS[0]) for m in shot["cast"]},
            "actors": {m["id"]: (beats.get(m["id"], "stands"), m["facing"], m["position"]) for m in shot["cast"]}}


def read_motion(frames: np.ndarray, wanted: dict) -> list[tuple[str, str, str, float]]:
    """(action, facing, mark, starting x) read for each actor of a shot, in the order of `wanted`; blanks if there are no frames."""
    judge, _, reader, _ = judges()
    return motion.read(reader, judge, frames, list(wanted["actors"])) if len(frames) else [("", "", "", 0.0)] * len(wanted["actors"])


def judge_shot(frames: np.ndarray, wanted: dict, read: list[tuple[str, str, str, float]] | None = None) -> dict:
    """Which aspects of `wanted` (from `expected`) the frames show: {aspect: bool}, without aspects that do not apply. read: the result of `read_motion`, if
    known.

    Weather applies where a place has more than one, mood to a lone actor, "some props" to shots with props. Props are right if all are there and no others.
    Action, direction and binding must hold for all actors of the shot; binding: each of two does its own action on its own side of the other."""
    said = recogniser.judge(judges()[0], frames[[k for k in JUDGED_FRAMES if k < len(frames)]], len(wanted["actors"])) if len(frames) else {}
    right = {"place": said.get("place") == wanted["place"], "time": said.get("time") == wanted["time"], "actors": said.get("actors") == set(wanted["actors"])}
    if len(world.WEATHERS_OF[wanted["place"]]) > 1:
        right["weather"] = said.get("weather") == wanted["weather"]
    if len(wanted["actors"]) == 1:
        right["lone actor"] = right["actors"]
        right["lone mood"] = all(said.get("moods", {}).get(a) == m for a, m in wanted["moods"].items())
    right["props"] = said.get("props") == wanted["props"]
    if wanted["props"]:
        right["some props"] = right["props"]
    of = list(zip(read_motion(frames, wanted) if read is None else read, wanted["actors"].values()))
    right["action"] = all(m[0] == w[0] for m, w in of)
    if len(of) == 1:
        right["lone action"] = right["action"]
    if any(w[0] in motion.MOVING for _, w in of):
        right["direction"] = all(m[1] == w[1] for m, w in of if w[0] in motion.MOVING)
    if len(of) == 2:
        ((a, _), (b, _)), marks = of, [world.POSITIONS.index(w[2]) for _, w in of]
        right["binding"] = right["actors"] and right["action"] and (a[3] < b[3]) == (marks[0] < marks[1])
    return {k: bool(v) for k, v in right.items()}


# ---- a character across shots

@torch.no_grad()
def appearance(frames: np.ndarray, actor: str) -> np.ndarray:
    """The recogniser's features [112] over the actor's cells, averaged over the judged frames, normalised to length 1."""
    judge = judges()[0]
    _, cells = judge.features(torch.from_numpy(frames[[k for k in JUDGED_FRAMES if k < len(frames)]].copy()))
    share = torch.log_softmax(judge.thing(cells), 1)[:, 1 + recogniser.THINGS.index(actor)].flatten(1).softmax(1)
    found = (cells.flatten(2) * share[:, None]).sum(2).mean(0).numpy()
    return found / (np.linalg.norm(found) + 1e-9)


def likeliest_actor(frames: np.ndarray) -> str:
    """The most likely actor of a shot with one actor."""
    return next(iter(recogniser.judge(judges()[0], frames[[k for k in JUDGED_FRAMES if k < len(frames)]], 1)["actors"]))


# ---- borders of patches

def border_visibility(frames: np.ndarray) -> dict[int, float]:
    """How visible patch borders are in frames [n, H, W, 3] at the model's own scale: {patch size: mean jump between neighbouring columns across borders of
    exactly that size, over the mean jump inside 8-pixel cells}. 1: invisible."""
    pixels = frames.astype(np.float32)
    jumps = np.abs(pixels[:, :, 1:] - pixels[:, :, :-1]).mean((0, 1, 3))
    column = np.arange(1, frames.shape[2])
    inside = max(float(jumps[column % 8 != 0].mean()), 1e-6)
    of = lambda size: (column % size == 0) & ((column % (2 * size) != 0) | (size == BORDERS[-1]))
    return {size: float(jumps[of(size)].mean()) / inside for size in BORDERS}


def through_h264(frames: np.ndarray) -> np.ndarray:
    """A shot's frames through H.264 as the engine writes films: each frame twice, x264 at CRF 16."""
    size = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{world.WIDTH}x{world.HEIGHT}", "-r", str(2 * world.FPS)]
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error"]
    film = subprocess.run([*quiet, *size, "-i", "-", "-c:v", "libx264", "-preset", "medium", "-threads", "4", "-crf", "16", "-pix_fmt", "yuv420p", "-f", "h264",
                           "-"],
                          input=np.repeat(frames, 2, 0).tobytes(), stdout=subprocess.PIPE, check=True).stdout
    raw = subprocess.run([*quiet, "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], input=film, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, *frames.shape[1:])[::2]


# ---- against the renderer's own pictures

def static_pixels(frames: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """bool [H, W]: pixels that never change in rendered frames and are some distance from every actor in the mask."""
    near = cv2.dilate((mask > 0).any(0).astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    return (np.ptp(frames.astype(np.int16), axis=0).max(2) == 0) & ~near


def flicker(frames: np.ndarray, where: np.ndarray) -> float:
    """Mean absolute difference of consecutive frames over the pixels `where`, in 8-bit levels."""
    return float(np.abs(np.diff(frames.astype(np.float32), axis=0))[:, where].mean())


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray | None = None) -> float:
    """PSNR in dB between frames [n, H, W, 3] of 8-bit levels; over the pixels `where` (bool [n, H, W]) if given."""
    error = (a.astype(np.float32) - b) ** 2
    error = error if where is None else error[where]
    return float(10 * np.log10(255 ** 2 / max(float(error.mean()), 1e-3)))


def rendered(plan: dict, index: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(frames, actor mask) of a shot by the renderer."""
    frames, masks, _ = world.render_frames(plan, index, seed)
    return frames, np.where(masks <= len(plan["shots"][index]["cast"]), masks, 0)
