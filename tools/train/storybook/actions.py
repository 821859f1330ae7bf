"""What actors do: each action returns its motion at the frames' times, and its sounds at exact times.

An action takes (t, c): the frames' times in seconds from its start, as an array, and the `Setting`. It returns a `Motion`. Lengths are in the actor's own
heights. Gravity is a cartoon's, scaled by the place.
"""

import dataclasses
import math

import numpy as np

from storybook import ballistics

GRAVITY = 24.0  # heights/s²: a jump of 3/4 of one's height takes half a second
STAND, LEFT, RIGHT, AIR, SIT = range(5)
POSES = ("stand", "left", "right", "air", "sit")
WALK, RUN = (0.42, 0.333), (1.15, 0.167)  # speed, seconds per step
FIRST_STEP = 0.083


@dataclasses.dataclass
class Setting:
    """Where an action takes place. x, low and high are in heights."""
    sign: float  # +1 to the right
    x: float  # starting position
    low: float  # walls at which runners turn round
    high: float
    duration: float
    gravity: float = 1.0  # relative to earth
    wind: float = 0.0  # heights/s
    water: bool = False
    entrance: float = 0.0  # distance from outside the picture to the starting position
    leave: float = 0.0  # distance from the starting position out of the picture
    partner: float | None = None  # x of the partner
    gap: float = 1.15  # distance kept from a partner


@dataclasses.dataclass
class Motion:
    """Arrays over the frames: x in heights, lift above the ground, stretch in both directions, lean in degrees, face +1 to the right, index of POSES, scale of
    the whole. sounds: [(start in seconds, name, loudness)]."""
    x: np.ndarray
    lift: np.ndarray
    sx: np.ndarray
    sy: np.ndarray
    lean: np.ndarray
    face: np.ndarray
    pose: np.ndarray
    scale: np.ndarray
    shut: np.ndarray  # eyes
    sounds: list


def still(t, c):
    """Standing, with breathing: the motion that others start from."""
    one, zero = np.ones_like(t), np.zeros_like(t)
    return Motion(one * c.x, zero, one.copy(), 1 + 0.014 * np.sin(2 * np.pi * t / 0.9), zero.copy(), one * c.sign, np.zeros(len(t), int), one.copy(),
                  np.zeros(len(t), bool), [])


def steps_until(end, every, first=FIRST_STEP):
    """Step sounds every `every` seconds until `end`."""
    return [(first + i * every, "step", 1.0) for i in range(max(0, math.ceil((end - first) / every)))]


def gait(m, t, every, bounce, lean):
    """Adds bobbing, swaying by `lean` degrees, and legs in step: one step in `every` seconds."""
    phase = (t - FIRST_STEP) / every
    m.lift = bounce * np.abs(np.sin(np.pi * phase))
    m.lean = lean * np.sin(np.pi * (phase + 0.5))
    m.pose = np.where(np.floor(phase + 0.5).astype(int) % 2 == 0, LEFT, RIGHT)


def travel(t, c, speed, every, bounce, lean):
    """Walks or runs at `speed` heights per second and turns round at the walls."""
    m = still(t, c)
    m.x, way = ballistics.fold(c.x + c.sign * speed * t, c.low, c.high)
    m.face = way * c.sign
    gait(m, t, every, bounce, lean)
    m.sounds = steps_until(c.duration, every)
    return m


def stands(t, c):
    return still(t, c)


def walks(t, c):
    return travel(t, c, WALK[0], WALK[1], 0.07, 6)


def runs(t, c):
    m = travel(t, c, RUN[0], RUN[1], 0.13, 3)
    m.lean, m.sx, m.sy = m.lean + 11 * m.face, m.sx * 1.04, m.sy * 0.97
    return m


def jumps(t, c):
    """Crouches for 0.25 s, is in the air for half a second on earth, rests for a sixth of a second."""
    m, air = still(t, c), 0.5 / math.sqrt(c.gravity)
    cycle = 0.25 + air + 0.167
    u = np.mod(t, cycle)
    flight = np.clip((u - 0.25) / air, 0, 1)
    m.lift = 0.75 * 4 * flight * (1 - flight)
    landed = np.mod(t - 0.25 - air, cycle)
    crouch = 0.22 * np.clip(u / 0.2, 0, 1) * (u < 0.25) + np.where((t > 0.25 + air) & (landed < 0.3), 0.2 * np.exp(-landed / 0.09), 0)
    m.sy, m.sx = (1 - crouch) * (1 + 0.08 * (m.lift > 0.05)), (1 + 0.7 * crouch) * (1 - 0.05 * (m.lift > 0.05))
    m.pose = np.where(m.lift > 0.05, AIR, STAND)
    m.sounds = [(0.25 + air + i * cycle, "thump", 1.0) for i in range(math.ceil(max(0, c.duration - 0.25 - air) / cycle))]
    return m


def spins(t, c):
    """Turns on the spot once in 0.917 s; its width shows the turn."""
    m = still(t, c)
    turn = np.cos(2 * np.pi * t / 0.917)
    m.sx = np.maximum(np.abs(turn), 0.14)
    m.face = np.where(turn >= 0, c.sign, -c.sign)
    m.lift += 0.03
    m.sounds = [(i * 0.917, "whoosh", 0.8) for i in range(math.ceil(c.duration / 0.917))]
    return m


def flies(t, c):
    """Rises for half a second, then crosses the picture with two wing beats per second, carried by the wind."""
    m = still(t, c)
    m.x, way = ballistics.fold(c.x + c.sign * 0.6 * t + 0.3 * c.wind * t, c.low, c.high)
    m.face = way * c.sign
    beat = np.sin(2 * np.pi * (t - 0.25) / 0.5)
    up = np.clip(t / 0.5, 0, 1)
    m.lift = (0.72 + 0.09 * beat + 0.10 * np.sin(2 * np.pi * t / 2.3)) * up * up * (3 - 2 * up)
    m.sx, m.sy, m.lean = 1 + 0.05 * beat, 1 - 0.06 * beat, 9 * m.face
    m.pose[:] = AIR
    m.sounds = [(0.25 + i * 0.5, "whoosh", 0.7) for i in range(math.ceil(max(0, c.duration - 0.25) / 0.5))]
    return m


def falls(t, c):
    """Falls from above the picture, bounces a little, and sits there dazed."""
    m = still(t, c)
    arcs = ballistics.drop(2.4, GRAVITY * c.gravity * 0.6, 0.34, terminal=5.0, least=0.9)
    m.lift, flat = ballistics.heights(arcs, t), ballistics.squash(arcs, t, 0.45, 0.12)
    landed = t > arcs.impacts[0][0]
    m.sy, m.sx = 1 - flat, 1 + 0.7 * flat
    m.lean = np.where(landed, 7 * np.sin(5 * t) * np.exp(-np.maximum(t - arcs.impacts[0][0], 0) / 1.2), 16 * np.sin(9 * t))
    m.pose = np.where(landed, SIT, AIR)
    m.sounds = [(0.0, "sink", 0.6)] + [(at, "thump", min(1.2, 0.2 + speed / arcs.impacts[0][1])) for at, speed in arcs.impacts if at < c.duration]
    return m


def bounces(t, c):
    """Jumps as on a trampoline: every arc is as high as the one before."""
    m, air = still(t, c), 2 * math.sqrt(2 * 0.95 / (GRAVITY * c.gravity))
    first = 0.2 + air
    u = np.mod(t - 0.2, air) / air
    m.lift = np.where(t < 0.2, 0, 0.95 * 4 * u * (1 - u))
    since = np.where(t < 0.2, 0.2 - t, np.minimum(u, 1 - u) * air)
    flat = 0.3 * np.exp(-since / 0.05)
    m.sy, m.sx = 1.05 - flat, 0.97 + 0.6 * flat
    m.pose = np.where(m.lift > 0.08, AIR, STAND)
    m.lean = 8 * np.sin(np.pi * (t - 0.2) / air) * c.sign
    m.sounds = [(0.2, "boing", 0.7)] + [(first + i * air, "boing", 1.0) for i in range(math.ceil(max(0, c.duration - first) / air))]
    return m


def rolls(t, c):
    """Is pushed off at 1.9 heights per second and slowed by drag; the rotation matches the distance."""
    m = still(t, c)
    way = ballistics.slide(1.9, 0.45, t)
    m.x, _ = ballistics.fold(c.x + c.sign * way, c.low, c.high)
    m.face[:] = c.sign
    m.lean = np.degrees(m.x - c.x) / 0.5
    m.pose[:] = AIR
    m.scale[:] = 0.86
    m.sounds = [(0.0, "rumble", 0.9), (1.3, "rumble", 0.6), (2.6, "rumble", 0.4)]
    m.sounds = [s for s in m.sounds if s[0] < c.duration] + wall_hits(c, lambda s: ballistics.slide(1.9, 0.45, s))
    return m


def wall_hits(c, way):
    """Thumps where a path turns round. way: seconds -> distance from the start."""
    t = np.linspace(0, c.duration, max(2, int(c.duration * 240)))
    back = ballistics.fold(c.x + c.sign * way(t), c.low, c.high)[1]
    return [(float(t[i + 1]), "thump", 0.7) for i in np.flatnonzero(np.diff(back) != 0)]


def floats(t, c):
    """Rises for 0.8 s, then hovers and drifts with the wind."""
    m = still(t, c)
    up = np.clip(t / 0.8, 0, 1)
    m.lift = (0.42 + 0.12 * np.sin(2 * np.pi * t / 2.6)) * up * up * (3 - 2 * up)
    m.x, _ = ballistics.fold(c.x + (0.05 * c.sign + 0.6 * c.wind) * t, c.low, c.high)
    m.lean = 7 * np.sin(2 * np.pi * t / 3.1)
    m.pose[:] = AIR
    m.sounds = [(0.1, "rise", 0.5)]
    return m


def swims(t, c):
    """Makes a stroke every 0.9 s, gliding between strokes."""
    m = still(t, c)
    m.x, way = ballistics.fold(c.x + c.sign * 0.55 * (t - 0.08 * np.sin(2 * np.pi * t / 0.9)), c.low, c.high)
    m.face = way * c.sign
    stroke = np.sin(2 * np.pi * t / 0.9)
    m.lift = 0.42 + 0.13 * np.sin(2 * np.pi * t / 1.9)
    m.lean, m.sx, m.sy = 10 * m.face + 7 * stroke, 1 + 0.05 * stroke, 1 - 0.05 * stroke
    m.pose[:] = AIR
    m.sounds = [(0.2 + i * 0.9, "bubble" if c.water else "splash", 0.9) for i in range(math.ceil(max(0, c.duration - 0.2) / 0.9))]
    return m


def ease(u):
    """Smoothstep of u, clipped to 0 … 1."""
    u = np.clip(u, 0, 1)
    return u * u * (3 - 2 * u)


def grows(t, c):
    """Grows from 0.6 to 1.3 of its size between 0.4 s and 2.6 s."""
    m = still(t, c)
    u = ease((t - 0.4) / 2.2)
    m.scale = 0.6 + 0.7 * u
    wobble = 0.06 * np.sin(2 * np.pi * t / 0.3) * (u > 0) * (u < 1)
    m.sx, m.sy = m.sx + wobble, m.sy - wobble
    m.sounds = [(0.4, "rise", 1.0), (2.6, "pop", 0.8)]
    return m


def shrinks(t, c):
    """Shrinks from 1.2 to 0.5 of its size between 0.4 s and 2.6 s."""
    m = still(t, c)
    m.scale = 1.2 - 0.7 * ease((t - 0.4) / 2.2)
    m.sounds = [(0.4, "sink", 1.0), (2.6, "pop", 0.8)]
    return m


def enters(t, c):
    """Walks in from outside the picture and reaches its mark after 1.8 s."""
    m = still(t, c)
    u = np.clip(t / 1.8, 0, 1)
    gait(m, t, WALK[1] * 0.75, 0.09, 6)
    here = u >= 1
    m.x = c.x - c.sign * c.entrance * (1 - u)
    m.lift, m.lean, m.pose = np.where(here, 0, m.lift), np.where(here, 0, m.lean), np.where(here, STAND, m.pose)
    m.sounds = steps_until(min(1.8, c.duration), WALK[1] * 0.75)
    return m


def exits(t, c):
    """Stands for 0.6 s, then walks out of the picture within 2 s."""
    m = still(t, c)
    gait(m, t, WALK[1] * 0.75, 0.09, 6)
    going = t >= 0.6
    m.x = c.x + c.sign * c.leave * np.clip((t - 0.6) / 2.0, 0, 1.2)
    m.lift, m.lean, m.pose = np.where(going, m.lift, 0), np.where(going, m.lean, 0), np.where(going, m.pose, STAND)
    m.sounds = [s for s in steps_until(min(2.6, c.duration), WALK[1] * 0.75) if s[0] >= 0.6]
    return m


def sleeps(t, c):
    """Sits with its eyes shut and snores every 2.2 s."""
    m = still(t, c)
    breath = np.sin(2 * np.pi * t / 2.2)
    m.sy, m.sx, m.lean = 0.88 + 0.04 * breath, 1.06 - 0.02 * breath, np.full_like(t, 6 * c.sign)
    m.pose[:] = SIT
    m.shut[:] = True
    m.sounds = [(0.55 + i * 2.2, "snore", 0.9) for i in range(math.ceil(max(0, c.duration - 0.55) / 2.2))]
    return m


def dances(t, c):
    """Makes two steps per second (120 beats per minute) and turns round every four."""
    m = still(t, c)
    beat = t / 0.5
    m.x = c.x + 0.16 * np.sin(np.pi * beat)
    m.lift = 0.13 * np.abs(np.sin(np.pi * beat))
    m.lean = 13 * np.sin(np.pi * beat)
    m.sy = 1 - 0.10 * np.abs(np.cos(np.pi * beat)) ** 3 + 0.03
    turned = np.floor(beat / 4).astype(int) % 2
    m.face = np.where(turned == 0, c.sign, -c.sign)
    m.pose = np.where(np.floor(beat).astype(int) % 2 == 0, LEFT, RIGHT)
    m.sounds = [(i * 0.5, "tap", 0.9) for i in range(math.ceil(c.duration / 0.5))]
    return m


def talks(t, c):
    """Stands and nods to its partner."""
    m = still(t, c)
    m.lean = 4 * np.sin(2 * np.pi * t / 1.1) + 3 * c.sign
    if c.partner is not None:
        m.face[:] = math.copysign(1, c.partner - c.x) if c.partner != c.x else c.sign
    return m


def gives(t, c):
    """Walks up to its partner until 1.4 s; what it holds flies over from 1.6 s to 2.1 s."""
    m = still(t, c)
    to = c.x if c.partner is None else c.partner
    side = math.copysign(1, to - c.x) if to != c.x else c.sign
    goal = to - side * c.gap
    goal = c.x if (goal - c.x) * side < 0 else goal
    going = t < 1.4
    gait(m, t, WALK[1] * 0.75, 0.07, 6)
    m.x = c.x + (goal - c.x) * np.clip(t / 1.4, 0, 1)
    m.lift, m.lean = np.where(going, m.lift, 0), np.where(going, m.lean, 8 * side * np.exp(-((t - 1.7) / 0.2) ** 2))
    m.pose = np.where(going, m.pose, STAND)
    m.face[:] = side
    m.sounds = steps_until(min(1.4, c.duration), WALK[1] * 0.75) + [(1.6, "whoosh", 0.8), (2.1, "chime", 1.0)]
    return m


GIVEN, RECEIVED = 1.6, 2.1  # seconds after which a gift leaves the giver's hand and reaches the other's


def carries(t, c):
    """Walks slowly; `tracks.hold` places what it carries."""
    return travel(t, c, WALK[0] * 0.85, WALK[1], 0.05, 3)


def chases(t, c):
    """Runs; tracks.py makes it follow its prey."""
    m = travel(t, c, RUN[0] * 1.05, RUN[1], 0.13, 3)
    m.lean = m.lean + 13 * m.face
    return m


ACTIONS = {f.__name__: f for f in (stands, walks, runs, jumps, spins, flies, falls, bounces, rolls, floats, swims, grows, shrinks, enters, exits, sleeps,
                                   dances, talks,
                                   chases, gives, carries)}
