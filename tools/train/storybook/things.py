"""What props do by themselves, by state. Lengths in canvas units, times in seconds; gravity as for an actor 46 units tall.

The functions of the states have the arguments of `move` and change its motion `m`.
"""

import math

import numpy as np

from storybook import ballistics
from storybook.actions import GRAVITY, Motion, ease

UNIT_GRAVITY = GRAVITY * 46
SOUND_OF = {"train": "engine", "bell": "bell", "clock": "bell", "boat": "splash"}


def move(prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Motion of a prop over the frames; x and lift in units.

    prop: its entry of world.json. t: the frames' times. x: its starting position. low, high: the walls. sign: +1 to the right. gravity: relative to earth.
    wind: units/s. duration: of the shot. height: of its picture."""
    one, zero = np.ones_like(t), np.zeros_like(t)
    m = Motion(one * x, zero, one.copy(), one.copy(), zero.copy(), one * sign, np.zeros(len(t), int), one.copy(), np.zeros(len(t), bool), [])
    state_of = {"falls": falls, "bounces": falls, "rolls": rolls, "floats": floats, "rises": rises, "drifts": drifts, "flies": flies, "drives": drives,
                "launches": launches, "sways": sways, "swings": swings, "rings": rings, "twinkles": twinkles, "grows": grows}.get(state)
    if state_of:
        state_of(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height)
    m.sounds = [s for s in m.sounds if 0 <= s[0] < duration]
    return m


def falls(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """`bounces`: a ball released from above that loses a share of its speed at each impact. `falls`: anything, from higher up."""
    drop_from, e = (78.0, prop["bounce"]) if state == "bounces" else (120.0, prop["bounce"])
    arcs = ballistics.drop(drop_from, UNIT_GRAVITY * gravity * 0.55, e, terminal=420.0, least=26.0)
    m.lift, flat = ballistics.heights(arcs, t), ballistics.squash(arcs, t, 0.10 + 0.3 * e, 0.06)
    drift = (16 * sign if state == "bounces" else 0) * t + 0.12 * wind * np.minimum(t, arcs.impacts[0][0])
    m.x, _ = ballistics.fold(x + drift, low, high)
    m.sy, m.sx = 1 - flat, 1 + 0.6 * flat
    m.lean = np.degrees((m.x - x) / (0.5 * height)) if prop["kind"] == "round" else 20 * np.sin(6 * t) * (t < arcs.impacts[0][0])
    m.sounds = [(at, "boing" if e >= 0.6 else "thump", max(0.15, speed / arcs.impacts[0][1])) for at, speed in arcs.impacts]


def rolls(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Is pushed off at 105 units per second; drag brings it to rest, and the rotation matches the distance."""
    way = ballistics.slide(105.0, 0.5, t)
    m.x, _ = ballistics.fold(x + sign * way, low, high)
    m.lean = np.degrees((m.x - x) / (0.5 * height))
    back = ballistics.fold(x + sign * ballistics.slide(105.0, 0.5, np.linspace(0, duration, 1200)), low, high)[1]
    m.sounds = [(0.05, "rumble", 0.7)] + [(float((i + 1) * duration / 1199), "thump", 0.6) for i in np.flatnonzero(np.diff(back) != 0)]


def floats(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Hovers, a boat low on the water, and drifts with the wind."""
    base = 4 if prop["kind"] == "boat" else 34
    m.lift = base + (3 if prop["kind"] == "boat" else 7) * np.sin(2 * np.pi * t / 2.4)
    m.x, _ = ballistics.fold(x + 0.35 * wind * t, low, high)
    m.lean = (5 + 0.1 * abs(wind)) * np.sin(2 * np.pi * t / 2.9)


def rises(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Buoyancy against drag: 30 units per second in the end, carried by the wind."""
    m.lift = 6 + 30 * (t - 0.5 * (1 - np.exp(-t / 0.5)))
    m.x = x + 0.8 * wind * (t - 0.4 * (1 - np.exp(-t / 0.4))) + 3 * np.sin(2.2 * t)
    m.lean = 6 * np.sin(2.2 * t) + 0.15 * wind
    m.sounds = [(0.0, "rise", 0.5)]


def drifts(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Sinks like a leaf at up to 26 units per second, swinging from side to side and carried by the wind."""
    down = 26 * (t - 0.15 * (1 - np.exp(-t / 0.15)))
    m.lift = np.maximum(104 - down, 0)
    moving = m.lift > 0
    stop = t[np.argmin(moving)] if not moving.all() else duration
    u = np.minimum(t, stop)
    m.x = x + 15 * np.sin(2 * np.pi * u / 1.7) + wind * u
    m.lean = 38 * np.cos(2 * np.pi * u / 1.7)


def flies(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    m.x, way = ballistics.fold(x + sign * 30 * t + 0.3 * wind * t, low, high)
    m.face = way * sign
    m.lift = 52 + 6 * np.sin(2 * np.pi * t / 1.9)
    m.lean = 6 * np.sin(2 * np.pi * t / 2.3)
    if prop["id"] in ("plane", "helicopter"):
        m.sounds = [(i * 1.2, "engine", 0.5) for i in range(math.ceil(duration / 1.2))]


def drives(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Starts from rest and reaches 45 units per second."""
    m.x, way = ballistics.fold(x + sign * 45 * (t - 0.8 * (1 - np.exp(-t / 0.8))), low, high)
    m.face = way * sign
    m.lift = 0.8 * np.abs(np.sin(14 * t))
    sound = SOUND_OF.get(prop["id"], "engine" if prop["id"] in ("car", "bus", "tractor") else "rumble")
    m.sounds = [(i * 1.2, sound, 0.7) for i in range(math.ceil(duration / 1.2))]


def launches(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    """Shakes for 0.8 s, then rises with constant acceleration."""
    u = np.maximum(t - 0.8, 0)
    m.lift = 24 * u * u
    m.x = x + np.where(t < 1.2, 1.2 * np.sign(np.sin(40 * t)), 0)
    m.sounds = [(0.0, "rumble", 1.0), (0.8, "whoosh", 1.2), (1.6, "rumble", 0.7)]


def sways(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    m.lean = (2 + 0.12 * abs(wind)) * np.sin(2 * np.pi * t / 1.6) + 0.08 * wind


def swings(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    m.lift[:] = 30
    m.lean = 22 * np.sin(2 * np.pi * t / 1.0)
    m.sounds = [(0.25 + i * 0.5, "bell", 0.8) for i in range(math.ceil(duration / 0.5))]


def rings(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    on = np.mod(t, 1.5) < 0.75
    m.lean = np.where(on, 9 * np.sign(np.sin(2 * np.pi * 9 * t)), 0)
    m.lift = np.where(on, 1.5, 0)
    m.sounds = [(i * 1.5, "bell", 0.8) for i in range(math.ceil(duration / 1.5))]


def twinkles(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    m.lift = 14 + 3 * np.sin(2 * np.pi * t / 2.2)
    m.scale = 1 + 0.07 * np.sin(2 * np.pi * t / 0.8)
    m.sounds = [(0.4 + i * 1.6, "chime", 0.6) for i in range(math.ceil(duration / 1.6))]


def grows(m, prop, state, t, x, low, high, sign, gravity, wind, duration, height):
    m.scale = 0.35 + 0.95 * ease((t - 0.4) / 2.2)
    m.sounds = [(0.4, "rise", 0.9), (2.6, "pop", 0.7)]
