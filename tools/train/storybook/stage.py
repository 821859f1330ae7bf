"""Renders a shot with its truth: planes of the place through the camera, then props and actors by depth, signs, and weather.

Everything is 8-bit: sprites and planes are premultiplied, warped by OpenCV and blended within their bounding boxes.
"""

import functools
import math

import cv2
import numpy as np

from storybook import actions, brush, camera, light, scenery, signs, sprites, tracks, weather

cv2.setNumThreads(1)
SHADOW = 0.34
POSES = actions.POSES


def blend(frame, patch):
    """Composites a premultiplied RGBA patch over a view of the frame of the same size."""
    left = cv2.cvtColor(cv2.bitwise_not(patch[..., 3]), cv2.COLOR_GRAY2RGB)
    cv2.multiply(frame, left, left, 1 / 255)
    cv2.add(left, cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB), frame)


class View:
    """Maps units to frame pixels for a camera: screen = zoom * (unit - centre) + middle."""

    def __init__(self, width, height):
        self.width, self.height, self.scale = width, height, width / 224

    def look(self, cx, cy, zoom):
        """Points the camera at (cx, cy) in units. zoom: relative to a wide shot."""
        self.zoom = zoom * self.scale
        self.x0, self.y0 = self.width / 2 - cx * self.zoom, self.height / 2 - cy * self.zoom

    def plane(self, name, cx, cy, zoom):
        """(scale, x, y): maps a layer's pixels to the frame's, for a plane with its parallax."""
        share = brush.PLANES[name]
        z = (1 + (zoom - 1) * share) * self.scale
        k = z / (scenery.DETAIL * self.scale)
        x = self.width / 2 + (brush.LEFT - (112 + (cx - 112) * share)) * z
        y = self.height / 2 + (brush.TOP - (64 + (cy - 64) * share)) * z
        return k, x, y


def draw_plane(frame, plane, k, x, y, bottom, opaque=False):
    """Warps a plane into the rows of the frame that it reaches, down to row `bottom`."""
    top = 0 if opaque else max(0, math.floor(plane.first * k + y) - 1)
    if top >= bottom:
        return
    matrix = np.array([[k, 0, x], [0, k, y + plane.first * k - top]])
    patch = cv2.warpAffine(plane.pixels, matrix, (frame.shape[1], bottom - top), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if opaque:
        cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB, frame[:bottom])
    else:
        blend(frame[top:bottom], patch)


def draw_backdrop(frame, planes, view, now):
    """Draws everything behind the actors, skipping rows that a nearer plane hides."""
    bottom = frame.shape[0]
    todo = []
    for name in ("near", "mid", "far", "sky"):
        k, x, y = view.plane(name, *now)
        todo.append((name, k, x, y, bottom))
        bottom = min(bottom, max(0, math.ceil(planes[name].hides * k + y) + 1))
    for name, k, x, y, end in reversed(todo):
        draw_plane(frame, planes[name], k, x, y, end, opaque=name == "sky")


def draw_sprite(frame, mask, label, pixels, matrix):
    """Composites a warped sprite within its bounding box. Returns the box, or None if it is out of the picture."""
    h, w = pixels.shape[:2]
    a, b, c, d = matrix[0, 0] * w, matrix[0, 1] * h, matrix[1, 0] * w, matrix[1, 1] * h
    x, y = matrix[0, 2], matrix[1, 2]
    x0, x1 = max(0, math.floor(x + min(a, 0) + min(b, 0))), min(frame.shape[1], math.ceil(x + max(a, 0) + max(b, 0)) + 1)
    y0, y1 = max(0, math.floor(y + min(c, 0) + min(d, 0))), min(frame.shape[0], math.ceil(y + max(c, 0) + max(d, 0)) + 1)
    if x1 <= x0 or y1 <= y0:
        return None
    matrix[0, 2] -= x0
    matrix[1, 2] -= y0
    patch = cv2.warpAffine(pixels, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    blend(frame[y0:y1, x0:x1], patch)
    if mask is not None:
        mask[y0:y1, x0:x1][patch[..., 3] > 127] = label
    return [x0, y0, x1, y1]


@functools.lru_cache(maxsize=512)
def shadow_shape(width, height, strength):
    """A soft ellipse to multiply with: uint8 RGB. width, height in pixels; strength: share of light that its centre takes."""
    y, x = np.mgrid[-1:1:height * 1j, -1:1:width * 1j]
    shape = 1 - strength * np.clip(1.3 * (1 - np.hypot(x, y)), 0, 1)
    return cv2.cvtColor(np.round(255 * shape).astype(np.uint8), cv2.COLOR_GRAY2RGB)


def draw_shadow(frame, x, y, width, strength):
    """Darkens the ground below a thing at (x, y)."""
    w = max(4, int(width) // 2 * 2)
    h = max(2, int(width * 0.26))
    x0, y0 = round(x - w / 2), round(y - h / 2)
    a, b, c, d = max(0, x0), max(0, y0), min(frame.shape[1], x0 + w), min(frame.shape[0], y0 + h)
    if c > a and d > b:
        part = frame[b:d, a:c]
        cv2.multiply(part, shadow_shape(w, h, round(strength * 20) / 20)[b - y0:d - y0, a - x0:c - x0], part, 1 / 255)


def transform(pixels, k, sx, sy, turn, foot_x, foot_y, pivot):
    """Matrix of a sprite scaled by (k sx, k sy) and rotated about the point at share `pivot` of its height (0: feet), placed on the foot point."""
    h, w = pixels.shape[:2]
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    px, py = w / 2, h - 1 - pivot * (h - 2)
    a, b, d, e = c * k * sx, -s * k * sy, s * k * sx, c * k * sy
    up = pivot * (h - 2) * k * sy
    return np.array([[a, b, foot_x - a * px - b * py], [d, e, foot_y - up - d * px - e * py]])


def draw_track(frame, mask, label, track, n, view, lit, trait, floor):
    """Draws an actor or a prop in frame n; returns its box or None."""
    m = track.motion
    size = track.height * float(m.scale[n]) * view.zoom
    if size < 2 or size > 3 * frame.shape[0]:
        return None
    height = sprites.in_steps(size)
    if track.kind == "actor":
        blink = bool(m.shut[n]) or (n + 7 * label) % 37 < 2
        pixels = sprites.actor(track.who, track.mood[n], "shut" if blink else "open", int(track.mouth[n]),
                               trait["poses"][int(m.pose[n])], height, lit)
    else:
        pixels = sprites.prop(track.who, track.tint, height, lit)
    k = size / height
    x, y = m.x[n] * view.zoom + view.x0, (track.y - m.lift[n]) * view.zoom + view.y0
    face = -1.0 if (m.face[n] > 0) == trait["left"] else 1.0
    lift = float(m.lift[n]) / max(track.height, 1)
    if floor and track.kind == "actor" or floor and track.held is not None and not track.held[n]:
        near = max(0.0, 1 - 0.45 * min(lift, 1.6))
        draw_shadow(frame, x, track.y * view.zoom + view.y0, pixels.shape[1] * k * 0.92 * (0.6 + 0.4 * near), SHADOW * near)
    turning = trait["turns"] or abs(m.lean[n]) > 40
    matrix = transform(pixels, k, float(m.sx[n]) * face, float(m.sy[n]), float(m.lean[n]), x, y, 0.5 if turning else 0.0)
    return draw_sprite(frame, mask, label, pixels, matrix)


def traits(track):
    """Constant properties of a track: whether its glyph looks left, its leg poses, whether it rotates about its middle."""
    if track.kind == "actor":
        entry = sprites.ACTORS[track.who]
        return {"left": entry["looks"] == "left", "poses": POSES if entry["kind"] == "head" else ("stand",) * len(POSES), "turns": False}
    kind = sprites.PROPS[track.who]["kind"]
    return {"left": kind == "wheels" or track.who in ("helicopter",), "turns": kind in ("round", "leaf")}


@functools.lru_cache(maxsize=512)
def sign_picture(kind, height):
    return sprites.sized(sprites.glyph(signs.GLYPHS[kind]), height, (1, 1, 1))


def draw_signs(frame, all_signs, t, view):
    """Draws the signs that are visible at t seconds; each grows when it appears and shrinks before it goes."""
    for sign in all_signs:
        u = (t - sign.start) / sign.life
        if not 0 <= u < 1:
            continue
        size = sign.size * view.zoom * (0.5 + 0.5 * min(1, 4 * u)) * min(1, 4 * (1 - u))
        if size < 3:
            continue
        pixels = sign_picture(sign.kind, sprites.in_steps(size))
        s = t - sign.start
        x, y = (sign.x + sign.vx * s) * view.zoom + view.x0, (sign.y + sign.vy * s) * view.zoom + view.y0
        draw_sprite(frame, None, 0, pixels, transform(pixels, size / sprites.in_steps(size), 1, 1, 8 * math.sin(6 * s), x, y, 0.5))


def render_shot(plan, shot_index, seed, phones=None, frame_indices=None, canvas=None):
    """Renders a shot of a plan of the full world.

    plan: as in docs/BUNDLE.md, with the optional fields that tracks.py names. seed: the film's. phones: [(phone, start_s, duration_s)] of the shot's lines,
    on its clock. frame_indices: frames to render, default all. canvas: (width, height), 7 : 4, default world.json's. Returns (frames uint8 [n,h,w,3] RGB,
    mask uint8 [n,h,w], truth dict). Mask values: 0 backdrop, i + 1 entity i of the truth."""
    shot = plan["shots"][shot_index]
    shown = tracks.show(plan, shot_index, phones)
    width, height = canvas or tracks.WORLD["canvas"]
    view = View(width, height)
    cx, cy, zoom = camera.path(shot, shown)
    key = shown.place["id"], shown.time, shown.weather, scenery.variant(seed), view.scale
    planes = scenery.paint(*key)
    lit = light.on_actors(shown.time, shown.weather, lamp=shown.place["id"] == "room")
    sky = weather.Sky(shown, seed * 1_000_003 + shot_index, view.scale, tracks.thunder_times(shot) if shown.weather == "storm" else [])
    all_signs, floor = signs.of(shown), shown.place["ground"] != "none"
    order = sorted(range(len(shown.tracks)), key=lambda i: (shown.tracks[i].y, shown.tracks[i].kind == "prop", i))
    kinds = [traits(track) for track in shown.tracks]
    indices = range(len(shown.times)) if frame_indices is None else frame_indices
    frames, masks = np.empty((len(indices), height, width, 3), np.uint8), np.zeros((len(indices), height, width), np.uint8)
    boxes, before, backdrop = [], None, None
    for slot, n in enumerate(indices):
        frame, now = frames[slot], (cx[n], cy[n], zoom[n])
        view.look(*now)
        if now != before:
            backdrop = np.empty((height, width, 3), np.uint8)
            draw_backdrop(backdrop, planes, view, now)
            before = now
        frame[...] = backdrop
        row = [None] * len(shown.tracks)
        for i in order:
            row[i] = draw_track(frame, masks[slot], i + 1, shown.tracks[i], n, view, lit, kinds[i], floor)
        draw_plane(frame, planes["fore"], *view.plane("fore", *now), height)
        draw_signs(frame, all_signs, shown.times[n], view)
        sky.front(frame, shown.times[n])
        boxes.append(row)
    return frames, masks, truth_of(shot, shown, boxes, list(zip(cx[list(indices)], cy[list(indices)], zoom[list(indices)])))


def truth_of(shot, shown, boxes, path):
    """The truth: what is seen and heard, by entity, frame and second."""
    cast = [track for track in shown.tracks if track.kind == "actor"]
    return {"place": shown.place["id"], "time": shown.time, "weather": shown.weather, "actors": [c.who for c in cast],
            "positions": [m["position"] for m in shot["cast"]],
            "facings": [m["facing"] for m in shot["cast"]], "actions": [c.moves[-1][1] for c in cast], "camera": dict(shot["camera"]), "boxes": boxes,
            "entities": [{"id": t.id, "kind": t.kind, "who": t.who, "tint": t.tint, "moves": t.moves, "moods": sorted(set(t.mood))} for t in shown.tracks],
            "moods": [[c.mood[0], c.mood[-1]] for c in cast], "path": [tuple(map(float, p)) for p in path],
            "events": [{"s": s, "sound": name, "loudness": gain, "who": who, "x": x} for s, name, gain, who, x in shown.sounds]}
