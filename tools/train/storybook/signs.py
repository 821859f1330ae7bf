"""Short-lived signs that show what happens: dust at a landing, notes over a dancer, hearts, tears, dizzy stars. They are drawn as glyphs."""

from typing import NamedTuple

import numpy as np

GLYPHS = {"dust": "1F4A8", "sleep": "1F4A4", "note": "1F3B5", "heart": "2764", "dizzy": "1F4AB", "spark": "2728", "anger": "1F4A2", "tear": "1F4A7",
          "sweat": "1F4A6", "wow": "2757",
          "bubble": "1FAE7"}


class Sign(NamedTuple):
    """A glyph shown for `life` seconds from `start` on: its position, velocity per second and height, in units."""
    kind: str
    start: float
    life: float
    x: float
    y: float
    vx: float
    vy: float
    size: float


def of(shown):
    """All signs of a shot. shown: a `tracks.Shown`."""
    t, signs, end = shown.times, [], shown.times[-1] + 0.1
    calm_air = shown.place["ground"] != "none" and not shown.place["water"]
    for track in shown.tracks:
        m = track.motion

        def at(s):
            """(x, y of the head, y of the feet, face) of the track at s seconds."""
            x, lift, scale, face = (float(np.interp(s, t, v)) for v in (m.x, m.lift, m.scale, m.face))
            return x, track.y - lift - track.height * scale, track.y - lift, 1.0 if face >= 0 else -1.0
        for s, name, gain in m.sounds:
            x, head, feet, face = at(s)
            if name == "thump" and gain > 0.4 and calm_air and track.kind == "actor":
                signs += [Sign("dust", s, 0.35, x + side * track.height * 0.35, track.y - 3, side * 26, -6, 8) for side in (-1, 1)]
            if name == "chime":
                signs += [Sign("spark", s, 0.7, x + dx, head + dy, 0, -6, 9) for dx, dy in ((-12, 4), (11, 0), (2, -7))]
            if name == "pop":
                signs += [Sign("spark", s, 0.5, x + dx, head + 10, dx, -10, 9) for dx in (-16, 16)]
        if track.kind != "actor":
            continue
        beats = [*track.moves, (end, None)]
        for (start, what), (stop, _) in zip(beats, beats[1:]):
            for kind, first, every, life, dx, dy, vx, vy, size in EMITTED.get(what, ()):
                for s in np.arange(start + first, stop, every):
                    x, head, feet, face = at(s)
                    signs.append(Sign(kind, float(s), life, x + dx * face, (head if dy <= 0 else feet) + (dy if dy <= 0 else -dy), vx * face, vy, size))
        moods = track.mood
        for s in np.arange(0.3, end, 1.3):
            kind = OF_MOOD.get(moods[min(len(moods) - 1, int(s * 12))])
            if kind:
                x, head, feet, face = at(s)
                name, dx, dy, vx, vy, size, life = kind
                signs.append(Sign(name, float(s), life, x + dx * face, head + dy, vx * face, vy, size))
    return signs


# By action: kind, first s, every s, life, offset from the head (dy <= 0) or above the feet (dy > 0), velocity, size.
EMITTED = {"sleeps": (("sleep", 0.5, 1.1, 1.6, 10, -2, 5, -9, 10),),
           "dances": (("note", 0.2, 1.0, 1.0, 14, -2, 5, -12, 9), ("note", 0.7, 1.0, 1.0, -14, -4, -4, -12, 8)),
           "runs": (("dust", 0.3, 0.5, 0.4, -20, 5, -12, -4, 8),), "chases": (("dust", 0.3, 0.5, 0.4, -20, 5, -12, -4, 8),),
           "swims": (("bubble", 0.3, 0.7, 1.0, 10, -1, 4, -18, 7),),
           "falls": (("dizzy", 0.9, 0.7, 0.7, -9, -4, 26, 0, 10),)}
OF_MOOD = {"happy": ("heart", 13, -1, 3, -9, 7, 1.0), "angry": ("anger", 11, 1, 0, 0, 9, 0.9), "sad": ("tear", 8, 16, 0, 20, 6, 0.9),
           "afraid": ("sweat", 13, 2, 5, -4, 8, 0.8),
           "surprised": ("wow", 12, -3, 0, 0, 11, 0.8), "proud": ("spark", 12, -1, 0, -5, 9, 0.9)}
