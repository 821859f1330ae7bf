"""The camera's moves: its centre (in units) and zoom in every frame."""

import numpy as np

from storybook import tracks
from storybook.actions import ease

LOW, HIGH = 44, 180  # range of the picture's centre


def path(shot, shown):
    """The camera over the frames: arrays of its centre cx, cy (in units) and zoom. shown: a `tracks.Shown`."""
    t, size, move = shown.times, shot["camera"]["size"], shot["camera"]["move"]
    n, z = len(t), shown.zoom
    whole = max(t[-1], 1e-6)
    cast = [track for track in shown.tracks if track.kind == "actor"]
    speakers = [c for c in cast if c.mouth is not None and c.mouth.any()]
    lead = (speakers or cast or [None])[0]
    focus = 112.0
    if lead is not None and size != "wide":
        middle = float(np.mean([np.clip(c.motion.x, 20, 204).mean() for c in cast]))
        focus = middle if size == "medium" else 0.5 * middle + 0.5 * float(np.clip(lead.motion.x, 30, 194).mean())
    u = t / whole
    cx, zoom, feet = np.full(n, focus), np.full(n, z), float(tracks.FEET[size])
    if move == "push_in":
        zoom = z * (0.93 + 0.25 * ease(u)) if size != "wide" else z * (1 + 0.26 * ease(u))
    elif move == "pull_out":
        zoom = z * (1.18 - 0.25 * ease(u)) if size != "wide" else z * (1.26 - 0.26 * ease(u))
    elif move == "pan":
        side = 1.0 if not cast else float(cast[0].motion.face[0])
        cx = focus + side * 46 / z * (ease(u / 0.8) - 1)
    elif move == "track" and lead is not None:
        follow = cast[0].motion.x
        cx = np.convolve(np.pad(follow, 4, mode="edge"), np.ones(9) / 9, mode="valid")
    zoom = np.maximum(zoom, 1.0)
    tallest = max((c.height for c in cast), default=40)
    feet = np.minimum(feet + 0.5 * (zoom * tallest - (feet - 8)).clip(0), 126)  # no head is cut when the camera comes near
    cy = tracks.GROUND - (feet - 64) / zoom
    if move == "tilt":
        cy = cy - 46 / z * (1 - ease(u / 0.75))
    if move == "shake":
        cx = cx + 2.6 * np.sin(2 * np.pi * 3.7 * t) * np.sin(2 * np.pi * 0.9 * t + 0.4)
        cy = cy + 2.0 * np.sin(2 * np.pi * 4.3 * t + 1) * np.sin(2 * np.pi * 0.7 * t + 1.1)
    return np.clip(cx, LOW, HIGH), np.clip(cy, -4, 74), zoom
