"""Pictures of actors and props: glyphs of Noto Color Emoji, bodies for actors whose glyph is a head, tints, and the scene's light.

A sprite is premultiplied RGBA uint8 with its feet at the middle of the lower edge, cached by (who, face, pose, size, light).
"""

import functools

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storybook import faces
from world import editions

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
ACTORS = {a["id"]: a for a in editions.whole()["actors"]}
PROPS = {p["id"]: p for p in editions.whole()["props"]}
TINTS = {t["id"]: t["rgb"] for t in editions.whole()["tints"]}
RAW = 136  # pixels on the larger side of a glyph
STEP = 4  # cached sizes are multiples of this many pixels; warping does the rest


@functools.cache
def glyph(code):
    """Premultiplied RGBA of a glyph, cropped to its content, with RAW pixels on the larger side."""
    image = Image.new("RGBA", (160, 150), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((4, 4), chr(int(code, 16)), font=ImageFont.truetype(FONT, 109), embedded_color=True)
    rgba = np.asarray(image.crop(image.getbbox())).astype(np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255
    k = RAW / max(rgba.shape[:2])
    return np.round(cv2.resize(rgba, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)).astype(np.uint8)


def tinted(pixels, rgb):
    """The picture in another colour: keeps light and dark, replaces the hue."""
    grey = cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)
    alpha = pixels[..., 3].astype(np.float32)
    seen = alpha > 200
    low, middle, high = np.percentile(grey[seen], (3, 55, 99)) if seen.any() else (0, 128, 255)
    straight = grey * 255 / np.maximum(alpha, 1)
    dark = np.clip((middle - straight) / max(middle - low, 24), 0, 1)[..., None]
    bright = np.clip((straight - middle) / max(high - middle, 24), 0, 1)[..., None]
    colour = np.asarray(rgb, np.float32)
    shown = colour * (1 - 0.66 * dark) + (255 - colour) * 0.62 * bright
    out = pixels.copy()
    out[..., :3] = np.clip(shown, 0, 255) * (alpha / 255)[..., None]
    return out


# Leg poses of actors with bodies: how far the (left, right) foot is forward and up.
POSES = {"stand": ((0, 0), (0, 0)), "left": ((9, 5), (-8, 0)), "right": ((-8, 0), (9, 5)), "air": ((-6, 6), (7, 8)), "sit": ((10, 0), (14, 0))}


def on_body(head, coat, pose):
    """A head on a small body with arms and feet."""
    h = cv2.resize(head, None, fx=0.74, fy=0.74, interpolation=cv2.INTER_AREA)
    width = max(h.shape[1] + 8, 96)
    body = np.zeros((h.shape[0] + 42, width, 4), np.uint8)
    x, ground = width / 2, body.shape[0] - 1
    coat = np.asarray(coat, np.float64)
    dark, k = tuple(coat * 0.72), 16

    def blob(cx, cy, rx, ry, rgb, turn=0):
        cv2.ellipse(body, (int(cx * k), int(cy * k)), (int(rx * k), int(ry * k)), turn, 0, 360, (*map(float, rgb), 255.0), -1, cv2.LINE_AA, 4)
    for side, (forward, up) in zip((-1, 1), POSES[pose]):  # feet point to the right: the whole sprite is mirrored
        blob(x + side * 11 + forward, ground - 5 - up, 11, 6, dark)
    for side, (forward, _) in zip((1, -1), POSES[pose]):  # arms swing opposite to the feet
        blob(x + side * 22 + forward * 0.4, ground - 29 - abs(forward) * 0.4, 6, 12, coat * 0.86, side * -24 - forward)
    blob(x, ground - 27, 22, 20, coat)
    blob(x, ground - 20, 13, 10, np.minimum(coat * 1.18 + 14, 255))
    over(body, h, round(x - h.shape[1] / 2), 0)
    return body


def over(target, pixels, x, y):
    """Composites a premultiplied picture over the target at (x, y); it must lie within."""
    part = target[y:y + pixels.shape[0], x:x + pixels.shape[1]]
    left = 255 - pixels[..., 3:].astype(np.uint16)
    part[...] = np.minimum(pixels + ((part * left + 127) // 255).astype(np.uint8).astype(np.uint16), 255)


@functools.lru_cache(maxsize=4096)
def drawn(actor_id, mood, eyes, mouth, pose):
    """An actor at full size with face and pose."""
    actor = ACTORS[actor_id]
    pixels = faces.put_on(glyph(actor["glyph"]), actor, mood, eyes, mouth)
    return on_body(pixels, actor["coat"], pose) if actor["kind"] == "head" else pixels


def sized(pixels, height, light):
    """A picture scaled to `height` pixels and multiplied by `light` (RGB factors), with a border of one pixel."""
    k = height / pixels.shape[0]
    small = cv2.resize(pixels, (max(2, round(pixels.shape[1] * k)), height), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
    if light != (1, 1, 1):
        small = cv2.multiply(small, (*light, 1.0), dtype=cv2.CV_8U)
    return cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)


@functools.lru_cache(maxsize=12288)
def actor(actor_id, mood, eyes, mouth, pose, height, light):
    """An actor's sprite, `height` pixels high. eyes, mouth: as in `faces.put_on`; light: RGB factors."""
    return sized(drawn(actor_id, mood, eyes, mouth, pose), height, light)


@functools.lru_cache(maxsize=4096)
def prop(prop_id, tint, height, light):
    """A prop's sprite, `height` pixels high, in the colour of a tint unless it is natural. light: RGB factors."""
    pixels = glyph(PROPS[prop_id]["glyph"])
    return sized(pixels if tint == "natural" else tinted(pixels, TINTS[tint]), height, light)


def in_steps(height):
    """`height` rounded up to a multiple of STEP, at which sprites are cached."""
    return max(STEP, -(-round(height) // STEP) * STEP)


@functools.cache
def aspect(kind, who):
    """(width / height of an actor or a prop as it stands, its height per unit of size): wide ones are lower."""
    pixels = drawn(who, "calm", "open", 0, "stand") if kind == "actor" else glyph(PROPS[who]["glyph"])
    ratio = pixels.shape[1] / pixels.shape[0]
    return ratio, 1 / max(1.0, 0.8 * ratio)
