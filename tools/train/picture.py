"""The picture of a shot: painted backdrops (`places.py`) and actors drawn from the glyphs of Noto Color Emoji.

`render_shot` is the world's ground truth for the eye. It exists for training and judging alone; nothing here runs when a film
is rendered. Motion follows the clock of `assets/world/world.json`: a foot is down when its step sounds, a jump lands on its thump.
"""

import functools
import math

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import editions
import places

WORLD = editions.world()
FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
WIDTH, HEIGHT = WORLD["canvas"]
FPS, FRAMES = WORLD["fps"], WORLD["shot_frames"][0]
FEET = 103.0  # screen line of the feet, the camera's fixed point
POSITION = {"left": 0.23, "center": 0.5, "right": 0.77}
SIZE = {"wide": 55.0, "medium": 70.0}  # actor height in pixels
ZOOM = {"wide": 1.0, "medium": 1.36}
PUSH = 0.16  # how far push_in closes in over a shot
LEFT_FACING = {"turtle", "whale", "penguin"}  # the other glyphs look at the viewer: a lean shows where they face
OPEN_PHONES = {"aa": 1.0, "ae": 1.0, "ah": 0.8, "ao": 1.0, "aw": 1.0, "ay": 1.0, "eh": 0.8, "er": 0.6, "ey": 0.8, "ih": 0.6,
               "iy": 0.6, "ow": 0.9, "oy": 0.9, "uh": 0.6, "uw": 0.5}


@functools.lru_cache(maxsize=None)
def sprite(actor_id, height):
    """Premultiplied RGBA float32 of an actor whose larger extent (width counted at 0.85) is `height` pixels."""
    glyph = next(a["glyph"] for a in WORLD["actors"] if a["id"] == actor_id)
    image = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((0, 0), chr(int(glyph, 16)), font=ImageFont.truetype(FONT, 109), embedded_color=True)
    rgba = np.asarray(image.crop(image.getbbox()), np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255
    h, w = rgba.shape[:2]
    k = height / max(h, 0.85 * w)
    rgba = cv2.resize(rgba, (round(w * k), round(h * k)), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(rgba, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)


def motion(action, t, sign):
    """Where an actor is at `t` seconds relative to its mark: (x, lift, stretch_x, stretch_y, lean in degrees), for size 1.

    `sign` is +1 when it faces right. x and lift are in actor heights, lift is up."""
    middle = FRAMES / FPS / 2
    if action == "walks":
        phase = (t - 0.083) / 0.333
        return sign * 0.42 * (t - middle), 0.09 * abs(math.sin(math.pi * phase)), 1, 1, 6 * math.sin(math.pi * (phase + 0.5))
    if action == "runs":
        phase = (t - 0.083) / 0.167
        return sign * 1.15 * (t - middle), 0.16 * abs(math.sin(math.pi * phase)), 1.04, 0.97, sign * 13
    if action == "jumps":  # lands at 0.750 s and every 0.917 s from there, in the air for half a second
        since = (t - 0.750) % 0.917
        air = since - 0.417
        if air > 0:
            u = air / 0.5
            return 0, 0.75 * 4 * u * (1 - u), 0.95, 1.06, 0
        squash = 0.2 * math.exp(-since / 0.12) + 0.1 * max(0.0, (since - 0.25) / 0.167)
        return 0, 0, 1 + squash * 0.7, 1 - squash, 0
    if action == "spins":
        turn = math.cos(2 * math.pi * t / 0.917)
        return 0, 0.03, math.copysign(max(abs(turn), 0.12), turn), 1, 0
    if action == "flies":
        beat = math.sin(2 * math.pi * (t - 0.250) / 0.5)
        return sign * 0.6 * (t - middle), 0.62 + 0.09 * beat, 1 + 0.04 * beat, 1 - 0.05 * beat, sign * 9
    return 0, 0, 1, 1 + 0.012 * math.sin(2 * math.pi * t / 0.9), 0


def mouth(t, line, start_ms, phones):
    """How open a speaker is at t, 0 to 1: by phone times if known, else by a pulse while the line lasts."""
    if line is None:
        return 0.0
    if phones:
        return next((OPEN_PHONES.get(p, 0.15) for p, start, duration in phones if start <= t < start + duration), 0.0)
    begin, end = (line["start_ms"] - start_ms) / 1000, (line["end_ms"] - start_ms) / 1000
    return abs(math.sin(math.pi * (t - begin) / 0.18)) if begin <= t < end else 0.0


def draw(frame, mask, label, pixels, matrix, light):
    """Composites a warped sprite into frame and mask within its bounding box."""
    h, w = pixels.shape[:2]
    corners = matrix @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]], np.float64)
    x0, y0 = np.maximum(np.floor(corners.min(1)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners.max(1)).astype(int) + 1, (WIDTH, HEIGHT))
    if x1 <= x0 or y1 <= y0:
        return None
    local = matrix.copy()
    local[:, 2] -= (x0, y0)
    patch = cv2.warpAffine(pixels, local, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    alpha = patch[..., 3:] * (1 / 255)
    frame[y0:y1, x0:x1] = frame[y0:y1, x0:x1] * (1 - alpha) + patch[..., :3] * light
    mask[y0:y1, x0:x1][alpha[..., 0] > 0.5] = label
    return int(x0), int(y0), int(x1), int(y1)


@functools.lru_cache(maxsize=1)
def shadow_shape():
    y, x = np.mgrid[-1:1:24j, -1:1:48j]
    return np.clip(1.15 - np.hypot(x, y), 0, 1).astype(np.float32)


def shade(frame, x, y, width, strength):
    """A soft shadow on the ground below an actor."""
    x0, x1, y0, y1 = int(x - width / 2), int(x + width / 2), int(y - width * 0.13), int(y + width * 0.13)
    cut = max(0, -x0), max(0, x1 - WIDTH)
    if x1 - x0 < 4 or y1 - y0 < 2 or x1 - x0 - sum(cut) <= 0:
        return
    shape = cv2.resize(shadow_shape(), (x1 - x0, y1 - y0))[:, cut[0]:x1 - x0 - cut[1], None]
    rows = shape[: max(0, HEIGHT - y0)]
    frame[y0:y1, max(x0, 0):min(x1, WIDTH)] *= 1 - strength * rows


@functools.lru_cache(maxsize=64)
def backdrop(place, time_of_day, film_seed):
    return places.paint(place, time_of_day, film_seed)


def view(layer, zoom):
    """A backdrop layer through a camera with `zoom` about the feet line's centre."""
    s = WIDTH / places.WIDTH * zoom
    matrix = np.array([[s, 0, WIDTH / 2 - s * places.WIDTH / 2], [0, s, FEET - s * (places.GROUND + 1.5)]])
    return cv2.warpAffine(layer, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def scenery(place, time_of_day, film_seed, zoom, parallax):
    far, near = backdrop(place, time_of_day, film_seed)
    front = view(near, zoom).astype(np.float32)
    alpha = front[..., 3:] * (1 / 255)
    return view(far, 1 + (zoom - 1) * parallax) * (1 - alpha) + front[..., :3] * alpha


def render_shot(plan, shot_index, seed, phones=None, frame_indices=None):
    """Renders a shot of a plan.

    plan: the JSON of docs/BUNDLE.md. seed: the film's seed (backdrops vary with it). phones: [(phone, start_s, duration_s)] of the
    shot's line. frame_indices: the frames wanted, all by default.
    Returns frames uint8 [n,128,224,3] RGB, mask uint8 [n,128,224] (0 backdrop, i + 1 the shot's i-th actor), truth dict."""
    if editions.EDITION != "nano":
        from storybook import facts, stage
        return stage.render_shot(facts.staged(plan, shot_index), 0, seed, phones, frame_indices)
    shot = plan["shots"][shot_index]
    place = next(p for p in plan["places"] if p["id"] == shot["place"])
    night = place["time_of_day"] == "night"
    light = np.array([0.80, 0.81, 0.97] if night else [1, 1, 1], np.float32)
    size, push = shot["camera"]["size"], PUSH if shot["camera"]["move"] == "push_in" else 0.0
    beats = {b["who"]: b["what"] for b in shot["action_beats"]}
    line = shot["dialogue"][0] if shot["dialogue"] else None
    height = SIZE[size] * (0.9 if len(shot["cast"]) > 1 else 1.0)
    indices = range(FRAMES) if frame_indices is None else frame_indices
    frames, masks = np.empty((len(indices), HEIGHT, WIDTH, 3), np.uint8), np.zeros((len(indices), HEIGHT, WIDTH), np.uint8)
    boxes, still = [], None
    for n, index in enumerate(indices):
        t = index / FPS
        close = 1 + push * (t / (FRAMES / FPS) - 0.5)
        zoom = ZOOM[size] * (close + push * 0.5)
        if push or still is None:
            still = scenery(place["id"], place["time_of_day"], seed, zoom, 0.55)
        frame, row = still.copy(), []
        for i, member in enumerate(shot["cast"]):
            sign = 1 if member["facing"] == "right" else -1
            action = beats.get(member["id"], "stands")
            x, lift, sx, sy, lean = motion(action, t, sign)
            talk = mouth(t, line if line and line["speaker"] == member["id"] else None, shot["start_ms"], phones)
            sx, sy, lean = sx * (1 - 0.07 * talk), sy * (1 + 0.13 * talk), lean + sign * 5
            pixels = sprite(member["id"], round(height * 1.12))
            k = height / round(height * 1.12) * close
            lift *= min(1.0, ((FEET - 2) / (height * close) - 1.0) / 0.68)  # stay in the picture
            px = WIDTH / 2 + (POSITION[member["position"]] * WIDTH + x * height - WIDTH / 2) * close
            py = FEET + 3 * close
            shade(frame, px, py, pixels.shape[1] * k * 0.95 * (1 - 0.35 * min(lift, 1)), 0.34 * (1 - 0.5 * min(lift, 1)))
            mirror = -1 if (member["id"] in LEFT_FACING) == (sign > 0) else 1
            c, s = math.cos(math.radians(lean)), math.sin(math.radians(lean))
            turn = np.array([[c, -s], [s, c]]) @ np.diag([k * sx * mirror, k * sy])
            foot = np.array([pixels.shape[1] / 2, pixels.shape[0] - 1.0])
            matrix = np.column_stack([turn, np.array([px, py - lift * height * close]) - turn @ foot])
            row.append(draw(frame, masks[n], i + 1, pixels, matrix, light))
        frames[n] = np.clip(frame + 0.5, 0, 255)
        boxes.append(row)
    truth = {"place": place["id"], "time": place["time_of_day"], "actors": [m["id"] for m in shot["cast"]],
             "positions": [m["position"] for m in shot["cast"]], "facings": [m["facing"] for m in shot["cast"]],
             "actions": [beats.get(m["id"], "stands") for m in shot["cast"]], "camera": dict(shot["camera"]), "boxes": boxes}
    return frames, masks, truth
