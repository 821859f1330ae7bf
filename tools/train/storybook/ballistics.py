"""Falling and bouncing in closed form, so that the time of every impact is exact and picture and sound agree.

Heights in any unit h, times in seconds, gravity in h/s². Before the first impact drag is quadratic with a terminal speed; later arcs are free of drag.
"""

import math
from typing import NamedTuple

import numpy as np

STEPS = 16  # most impacts of one fall


class Arcs(NamedTuple):
    """starts[i]: when arc i leaves the ground (arc 0: when it is released); speeds[i]: its speed then; impacts[i]: (time, speed) of its landing."""
    height: float
    gravity: float
    terminal: float
    starts: list
    speeds: list
    impacts: list


def drop(height, gravity, restitution, terminal=1e6, until=60.0, least=0.6):
    """The arcs of a thing released at `height` at time 0. restitution: share of its speed that it keeps at an impact. terminal: its terminal speed. It comes to
    rest once it would bounce slower than `least`."""
    vt, g = terminal, gravity
    first = vt / g * math.acosh(min(math.exp(min(height * g / vt ** 2, 300.0)), 1e130)) if height * g / vt ** 2 > 1e-9 else math.sqrt(2 * height / g)
    speed = vt * math.tanh(g * first / vt)
    starts, speeds, impacts, at = [0.0], [0.0], [(first, speed)], first
    while len(impacts) < STEPS:
        speed *= restitution
        if speed < least or at > until:
            break
        starts.append(at)
        speeds.append(speed)
        at += 2 * speed / g
        impacts.append((at, speed))
    return Arcs(height, g, vt, starts, speeds, impacts)


def heights(arcs, t):
    """Height above the ground at the times t (array)."""
    g, vt = arcs.gravity, arcs.terminal
    x = np.clip(g * t / vt, 0, 300)
    first = arcs.height - (vt ** 2 / g * np.log(np.cosh(np.minimum(x, 50))) if vt < 1e5 else g * t * t / 2)
    out = np.where(t < arcs.impacts[0][0], np.maximum(first, 0), 0.0)
    for start, speed, (end, _) in zip(arcs.starts[1:], arcs.speeds[1:], arcs.impacts[1:]):
        u = t - start
        out = np.where((u >= 0) & (t < end), speed * u - g * u * u / 2, out)
    return out


def squash(arcs, t, strength=0.3, fade=0.09):
    """Flattening at the times t, 0 … strength: after each impact, in proportion to its speed."""
    out, hardest = np.zeros_like(t), arcs.impacts[0][1]
    for at, speed in arcs.impacts:
        since = t - at
        out = np.where(since >= 0, strength * speed / hardest * np.exp(-np.maximum(since, 0) / fade), out)
    return out


def slide(speed, drag, t):
    """Distance after t of a thing pushed off with `speed`, with drag proportional to speed (1/s)."""
    return speed / drag * (1 - np.exp(-drag * t))


def fold(x, low, high):
    """A path reflected at two walls: (positions within them, +1 or -1 where it runs forwards or backwards)."""
    span = max(high - low, 1e-6)
    u = np.mod(x - low, 2 * span)
    return np.where(u <= span, low + u, high - (u - span)), np.where(u <= span, 1.0, -1.0)
