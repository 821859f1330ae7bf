"""Facial expressions: eyes, lids, brows, mouths, tears and sparkles drawn over a glyph at the positions of eyes and mouth in world.json."""

import functools

import cv2
import numpy as np

INK, MOUTH, TONGUE, TEAR = (48, 34, 34), (120, 34, 40), (236, 110, 116), (110, 190, 250)
EYES = {"happy": "smiling", "sleepy": "half", "surprised": "wide", "afraid": "wide", "proud": "smiling"}  # by mood; default: open
BROWS = {"sad": (-0.55, 0.25), "angry": (0.6, 0.1), "afraid": (-0.6, 0.35), "surprised": (0.0, 0.7), "proud": (0.1, 0.45)}  # inward slant, lift


def pen(pixels):
    """Drawing functions for premultiplied pixels, with 1/16 pixel precision: ellipse(x, y, rx, ry, rgb, …) and stroke(points, width, rgb)."""
    def ellipse(x, y, rx, ry, rgb, turn=0, start=0, end=360, width=-1):
        cv2.ellipse(pixels, (int(x * 16), int(y * 16)), (max(1, int(rx * 16)), max(1, int(ry * 16))), turn, start, end, (*map(float, rgb), 255.0), width,
                    cv2.LINE_AA, 4)

    def stroke(points, width, rgb):
        cv2.polylines(pixels, [np.round(np.asarray(points) * 16).astype(np.int32)], False, (*map(float, rgb), 255.0), max(1, round(width)), cv2.LINE_AA, 4)
    return ellipse, stroke


@functools.cache
def measured(key):
    """(radius of an actor's eyes in pixels, skin colour around each)."""
    pixels, eyes, given = _FACES[key]
    grey = cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2GRAY)
    dark = ((grey < 96) & (pixels[..., 3] > 200)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark)
    found = []
    for x, y in eyes:
        x, y = round(x * pixels.shape[1]), round(y * pixels.shape[0])
        near = labels[max(0, y - 2):y + 3, max(0, x - 2):x + 3]
        near = near[near > 0]
        area = stats[np.bincount(near).argmax(), cv2.CC_STAT_AREA] if near.size else 0
        radius = np.sqrt(area / np.pi) * 1.1 if 12 < area < 700 else pixels.shape[1] * 0.055
        found.append(float(np.clip(radius, 3.2, 14)))
    radius = given * pixels.shape[1] if given else min(found)
    skins = []
    for x, y in eyes:
        cx, cy = x * pixels.shape[1], y * pixels.shape[0]
        v, u = np.mgrid[:pixels.shape[0], :pixels.shape[1]]
        ring = (np.hypot(u - cx, v - cy) > 1.4 * radius) & (np.hypot(u - cx, v - cy) < 2.1 * radius) & (pixels[..., 3] > 230)
        skins.append(tuple(np.median(pixels[ring][:, :3], 0).tolist()) if ring.sum() > 8 else (200, 180, 160))
    return radius, skins


_FACES = {}


def put_on(glyph, actor, mood, eyes, mouth):
    """A copy of the glyph with a face. eyes: open, shut or blink, which override the mood's; mouth: 0 shut … 3 wide open."""
    pixels = glyph.copy()
    if mood == "calm" and eyes == "open" and not mouth:
        return pixels
    _FACES.setdefault(actor["id"], (glyph, actor["eyes"], actor.get("eye")))
    radius, skins = measured(actor["id"])
    h, w = pixels.shape[:2]
    ellipse, stroke = pen(pixels)
    places = [(x * w, y * h) for x, y in actor["eyes"]]
    kind = eyes if eyes != "open" else EYES.get(mood, "open")
    for i, ((x, y), skin) in enumerate(zip(places, skins)):
        inward = 0 if len(places) == 1 else 1 if i == 0 else -1
        eye(ellipse, stroke, kind, x, y, radius, skin)
        if mood in BROWS and kind != "shut":
            slant, lift = BROWS[mood]
            slant *= inward if inward else -1
            top, half = y - radius * (1.75 + lift), radius * 1.25
            stroke([(x - half, top - slant * half * 0.8), (x + half, top + slant * half * 0.8)], max(2.4, radius * 0.42), INK)
    if mood == "happy":
        for (x, y), side in zip(places, (-1, 1)):
            ellipse(x + side * radius * 0.9, y + radius * 2.1, radius * 1.0, radius * 0.62, np.array(skins[0]) * 0.5 + np.array((250, 110, 130)) * 0.5)
    if mood == "sad":
        x, y = places[0]
        ellipse(x, y + radius * 2.4, radius * 0.55, radius * 0.9, TEAR)
        ellipse(x - radius * 0.15, y + radius * 2.6, radius * 0.18, radius * 0.3, (230, 245, 255))
    if mood == "afraid":
        x, y = places[-1]
        ellipse(x + radius * 1.9, y - radius * 1.2, radius * 0.5, radius * 0.85, TEAR)
    if mouth or mood == "surprised":
        x, y = actor["mouth"][0] * w, actor["mouth"][1] * h
        wide = max(radius, 5.5)
        rx, ry = (wide * 0.75, wide * 0.95) if not mouth else (wide * (1.0 + 0.1 * mouth), wide * (0.18 + 0.32 * mouth))
        ellipse(x, y, rx, ry, MOUTH)
        if mouth >= 2:
            ellipse(x, y + ry * 0.55, rx * 0.6, ry * 0.4, TONGUE)
    return pixels


def eye(ellipse, stroke, kind, x, y, radius, skin):
    """Draws one eye: open, wide, half, smiling or shut. ellipse, stroke: from `pen`; radius in pixels; skin: colour that covers the glyph's own eye."""
    if kind == "open":
        return
    if kind == "wide":
        ellipse(x, y, radius * 1.5, radius * 1.6, (255, 255, 255))
        ellipse(x, y, radius * 1.5, radius * 1.6, INK, width=1)
        ellipse(x, y, radius * 0.7, radius * 0.75, INK)
        ellipse(x + radius * 0.25, y - radius * 0.3, radius * 0.25, radius * 0.25, (255, 255, 255))
        return
    if kind == "half":
        ellipse(x, y - radius * 0.5, radius * 1.3, radius * 0.95, skin)
        stroke([(x - radius * 1.2, y + radius * 0.2), (x + radius * 1.2, y + radius * 0.2)], max(2, radius * 0.36), INK)
        return
    ellipse(x, y, radius * 1.35, radius * 1.4, skin)
    width = max(2, round(radius * 0.42))
    start, end, dy = (200, 340, 0.5) if kind == "smiling" else (20, 160, -0.4)
    ellipse(x, y + radius * dy, radius * 1.15, radius * 0.95, INK, start=start, end=end, width=width)
