"""What is seen in a shot: who, where and when (`recogniser.py`), what each actor does (`motion.py`), whether a character stays itself, what flickers."""
import functools

import cv2
import diffusers
import numpy as np
import torch

import motion
import picture
import recogniser
import video_vae
from training import WORLD, autocast

MIDDLE = (7, 10, 13)  # frames of a shot that are judged, at the model's own rate


def load_vae(bundle) -> diffusers.AutoencoderKLMiniMaxH3:
    vae = diffusers.AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae").float().eval()
    vae.disable_tiling()
    vae.encoder = video_vae.quick(vae).encoder
    return vae


@torch.no_grad()
def reconstructed(vae, frames: np.ndarray) -> np.ndarray:
    with autocast():
        return video_vae.to_pixels(video_vae.kept(video_vae.decode(vae, video_vae.moments(vae, video_vae.to_model(frames))[0]))[0])


@functools.cache
def judges():
    """(recogniser, its held-out shares, reader of motion, its held-out shares)."""
    return *recogniser.load(), *motion.load()


def meaning(plan: dict, shot: dict) -> dict:
    """What a shot of a plan should show."""
    place, beats = next(p for p in plan["places"] if p["id"] == shot["place"]), {b["who"]: b["what"] for b in shot["action_beats"]}
    return {"place": place["id"], "time": place["time_of_day"],
            "actors": {m["id"]: (beats.get(m["id"], "stands"), m["facing"], m["position"]) for m in shot["cast"]}}


def moves(frames: np.ndarray, wanted: dict) -> list[tuple[str, str, str]]:
    """(action, facing, mark) that is read of each actor of a shot, in the order of `wanted`; blanks where there are no frames."""
    judge, _, reader, _ = judges()
    return motion.read(reader, judge, frames, list(wanted["actors"])) if len(frames) else [("", "", "")] * len(wanted["actors"])


def seen(frames: np.ndarray, wanted: dict, read: list[tuple[str, str, str]] | None = None) -> dict:
    """Which of what `wanted` (from `meaning`) says the frames of a shot show: {aspect: bool}, an aspect left out where it does not apply.
    `read`: their `moves`, if they are known.

    Action, direction and binding are of all the shot's actors; binding is that each of two does its own action at its own mark."""
    said = recogniser.judge(judges()[0], frames[[k for k in MIDDLE if k < len(frames)]], len(wanted["actors"])) if len(frames) else {}
    right = {"place": said.get("place") == wanted["place"], "time": said.get("time") == wanted["time"], "actors": said.get("actors") == set(wanted["actors"])}
    if len(wanted["actors"]) == 1:
        right["lone actor"] = right["actors"]
    of = list(zip(moves(frames, wanted) if read is None else read, wanted["actors"].values()))
    right["action"] = all(m[0] == w[0] for m, w in of)
    if len(of) == 1:
        right["lone action"] = right["action"]
    if any(w[0] in motion.MOVING for _, w in of):
        right["direction"] = all(m[1] == w[1] for m, w in of if w[0] in motion.MOVING)
    if len(of) == 2:
        right["binding"] = right["actors"] and all(m[0] == w[0] and m[2] == w[2] for m, w in of)
    return {k: bool(v) for k, v in right.items()}


# ---- a character across shots

@torch.no_grad()
def appearance(frames: np.ndarray, actor: str) -> np.ndarray:
    """The recogniser's 128 features where it finds the actor most surely, mean over the middle frames, of length 1."""
    judge = judges()[0]
    body = judge.body((torch.from_numpy(frames[[k for k in MIDDLE if k < len(frames)]].copy()).permute(0, 3, 1, 2).float() - 128) / 64)
    at = judge.presence(body)[:, recogniser.ACTORS.index(actor)].flatten(1).argmax(1)
    found = body.flatten(2)[torch.arange(len(at)), :, at].mean(0).numpy()
    return found / (np.linalg.norm(found) + 1e-9)


def looks_like(frames: np.ndarray) -> str:
    """The likeliest actor of a shot that has one."""
    return next(iter(recogniser.judge(judges()[0], frames[[k for k in MIDDLE if k < len(frames)]], 1)["actors"]))


# ---- against the renderer's own pictures

def still(frames: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Pixels bool [H, W] that never change in rendered frames, some way off every actor."""
    near = cv2.dilate((mask > 0).any(0).astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    return (np.ptp(frames.astype(np.int16), axis=0).max(2) == 0) & ~near


def flicker(frames: np.ndarray, where: np.ndarray) -> float:
    """Mean absolute difference of successive frames over the pixels `where`, in 8-bit levels."""
    return float(np.abs(np.diff(frames.astype(np.float32), axis=0))[:, where].mean())


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray | None = None) -> float:
    error = (a.astype(np.float32) - b) ** 2
    error = error if where is None else error[where]
    return float(10 * np.log10(255 ** 2 / max(float(error.mean()), 1e-3)))


def rendered(plan: dict, index: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(frames, mask) of a shot by the world's renderer."""
    frames, mask, _ = picture.render_shot(plan, index, seed)
    return frames, mask
