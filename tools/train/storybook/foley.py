"""Synthesised noises: sounds of events, and ambience beds of places and weather. Functions return samples at 16 kHz, about as loud as a step.

An event takes (rng, ground), where only steps depend on the ground. A bed takes (rng, length in samples); `bed` makes loops of them.
"""

import functools

import numpy as np
from scipy import signal

from world import acoustics
from world.acoustics import SAMPLE_RATE, clock

TWO_PI = 2 * np.pi
LOOP_S, VARIANTS = 16, 6  # beds are loops of this length, in this many versions


def sweep(f0, f1, t):
    """Phase in radians of a tone that glides from f0 to f1 Hz over the times t."""
    return TWO_PI * (f0 * t + (f1 - f0) * t * t / (2 * t[-1]))


def fade(wave, seconds=0.006):
    """Fades both ends of `wave` in place and returns it."""
    n = min(round(seconds * SAMPLE_RATE), len(wave) // 2)
    wave[:n] *= np.linspace(0, 1, n)
    wave[len(wave) - n:] *= np.linspace(1, 0, n)
    return wave


def step(rng, ground="grass"):
    """A footstep. The ground sets the band of its noise (Hz), its length (s) and its level."""
    low, high, long, level = {"grass": (300, 1600, 0.07, 0.10), "sand": (500, 3200, 0.09, 0.08), "snow": (900, 4200, 0.11, 0.09),
                              "stone": (180, 2400, 0.05, 0.13),
                              "wood": (120, 900, 0.07, 0.15)}.get(
        ground, (300, 1600, 0.07, 0.08))
    t = clock(long)
    body = np.sin(TWO_PI * rng.uniform(90, 130) * t) * np.exp(-t / 0.018) * (0.8 if ground in ("stone", "wood") else 0.3)
    return fade(level * (acoustics.noise(rng, len(t), low, high) * np.exp(-t / (long * 0.28)) * 0.6 + body))


def thump(rng, ground="grass"):
    t = clock(0.22)
    body = np.sin(sweep(rng.uniform(105, 125), 52, t)) * np.exp(-t / 0.06)
    return fade(0.34 * (body + 0.25 * acoustics.noise(rng, len(t), 200, 1400) * np.exp(-t / 0.02)))


def whoosh(rng, ground=None):
    t = clock(0.34)
    shape = np.sin(np.pi * t / t[-1]) ** 2
    return fade(0.07 * acoustics.noise(rng, len(t), 500, 2600) * shape)


def splash(rng, ground=None):
    t = clock(0.5)
    return fade(0.10 * (acoustics.noise(rng, len(t), 500, 5200) * np.exp(-t / 0.12) + 0.5 * acoustics.noise(rng, len(t), 200, 900) * np.exp(-t / 0.2)))


def bubble(rng, ground=None):
    wave = np.zeros(round(0.42 * SAMPLE_RATE))
    for i in range(3):
        t = clock(0.09)
        acoustics.add(wave, round((0.1 * i + rng.uniform(0, 0.04)) * SAMPLE_RATE),
                   fade(0.14 * np.sin(sweep(rng.uniform(280, 420), rng.uniform(700, 1000), t)) * np.exp(-t / 0.035)))
    return wave


def boing(rng, ground=None):
    t = clock(0.42)
    wobble = 1 + 0.25 * np.sin(TWO_PI * 17 * t) * np.exp(-t / 0.15)
    phase = TWO_PI * np.cumsum(rng.uniform(210, 240) * wobble * (1 + 0.35 * t)) / SAMPLE_RATE
    return fade(0.17 * (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)) * np.exp(-t / 0.13))


def rumble(rng, ground=None):
    t = clock(0.95)
    return fade(0.10 * acoustics.noise(rng, len(t), 50, 260) * np.sin(np.pi * t / t[-1]) * (1 + 0.4 * np.sin(TWO_PI * 9 * t)), 0.05)


def rise(rng, ground=None):
    """A tone that glides upwards, for growing and lifting off."""
    t = clock(0.9)
    phase = sweep(260, 1050, t)
    return fade(0.085 * (np.sin(phase + 0.6 * np.sin(TWO_PI * 7 * t)) + 0.3 * np.sin(2 * phase)) * np.sin(np.pi * t / t[-1]) ** 0.7, 0.03)


def sink(rng, ground=None):
    """A tone that glides downwards, for falling and shrinking."""
    t = clock(0.9)
    phase = sweep(980, 210, t)
    return fade(0.085 * (np.sin(phase + 0.6 * np.sin(TWO_PI * 6 * t)) + 0.3 * np.sin(2 * phase)) * np.sin(np.pi * t / t[-1]) ** 0.7, 0.03)


def pop(rng, ground=None):
    t = clock(0.09)
    return fade(0.24 * np.sin(sweep(420, 1200, t)) * np.exp(-t / 0.022), 0.002)


def chime(rng, ground=None):
    wave = np.zeros(round(1.1 * SAMPLE_RATE))
    for i, ratio in enumerate((1, 1.25, 1.5, 2)):
        t = clock(0.8)
        tone = np.sin(TWO_PI * 1046 * ratio * t) + 0.3 * np.sin(TWO_PI * 2096 * ratio * t)
        acoustics.add(wave, round(0.07 * i * SAMPLE_RATE), 0.07 * tone * np.exp(-t / 0.2))
    return fade(wave)


def snore(rng, ground=None):
    t = clock(1.5)
    breath = np.where(t < 0.7, np.sin(np.pi * t / 0.7), 0.45 * np.sin(np.pi * (t - 0.7) / 0.8))
    rasp = 0.55 + 0.45 * signal.sawtooth(TWO_PI * 31 * t)
    return fade(0.05 * acoustics.noise(rng, len(t), 140, 900) * np.abs(breath) * np.where(t < 0.7, rasp, 0.7), 0.05)


def tap(rng, ground=None):
    t = clock(0.06)
    return fade(0.2 * np.sin(TWO_PI * rng.choice([620.0, 780.0]) * t) * np.exp(-t / 0.012), 0.002)


def bell(rng, ground=None):
    t = clock(0.9)
    parts = sum(a * np.sin(TWO_PI * 660 * r * t) * np.exp(-t / d) for r, a, d in ((1, 1, 0.4), (2.01, 0.6, 0.3), (2.76, 0.5, 0.22), (5.4, 0.25, 0.1)))
    return fade(0.075 * parts)


def engine(rng, ground=None):
    t = clock(1.2)
    phase = TWO_PI * rng.uniform(62, 74) * t
    put = signal.sawtooth(phase) * (0.7 + 0.3 * np.sin(TWO_PI * 12 * t))
    return fade(0.09 * signal.sosfilt(acoustics.low_pass(700), put) * np.sin(np.pi * t / t[-1]) ** 0.5, 0.05)


def thunder(rng, ground=None):
    t = clock(2.2)
    crack = acoustics.noise(rng, len(t), 300, 3000) * np.exp(-t / 0.1) * 0.6
    roll = acoustics.noise(rng, len(t), 35, 220) * np.exp(-t / 0.8) * (1 + 0.6 * np.sin(TWO_PI * 3.1 * t + 1) * np.sin(TWO_PI * 1.3 * t))
    return fade(0.16 * (roll + crack), 0.01)


EVENTS = {f.__name__: f for f in (step, thump, whoosh, splash, bubble, boing, rumble, rise, sink, pop, chime, snore, tap, bell, engine, thunder)}


@functools.lru_cache(maxsize=1024)
def event(name, ground, version):
    """One of a few versions of an event's sound, float32."""
    return EVENTS[name](np.random.default_rng([version, sorted(EVENTS).index(name)]), ground).astype(np.float32)


# ---- beds

def birds(rng, length):
    wave = 0.06 * acoustics.noise(rng, length, 300, 1200)
    for _ in range(rng.integers(3, 6)):
        start, base = rng.integers(0, length), rng.uniform(2400, 4200)
        for _ in range(rng.integers(2, 5)):
            t = clock(rng.uniform(0.05, 0.11))
            phase = base * t + rng.uniform(-3000, 5000) * t * t
            acoustics.add(wave, start, np.sin(TWO_PI * phase) * np.hanning(len(t)) * rng.uniform(0.4, 1))
            start += int(len(t) * rng.uniform(1.1, 1.6))
    return wave


def waves(rng, length):
    t = np.arange(length) / SAMPLE_RATE
    swell = 0.35 + 0.65 * (0.5 + 0.5 * np.sin(TWO_PI * (rng.uniform(0.3, 0.5) * t + rng.random()))) ** 2
    return swell * acoustics.noise(rng, length, 150, 3500) + 0.4 * acoustics.noise(rng, length, 60, 400)


def wind(rng, length):
    t = np.arange(length) / SAMPLE_RATE
    gust = 0.5 + 0.5 * np.sin(TWO_PI * (rng.uniform(0.25, 0.6) * t + rng.random()))
    return gust * acoustics.noise(rng, length, 400, 800) + (1.3 - gust) * acoustics.noise(rng, length, 150, 400)


def traffic(rng, length):
    """A distant road, and one engine that passes."""
    t = np.arange(length) / SAMPLE_RATE
    engine = signal.sawtooth(TWO_PI * (rng.uniform(70, 95) * t + rng.uniform(-6, 6) * t * t))
    passing = np.exp(-((t - rng.uniform(0, t[-1])) / 0.5) ** 2)
    far, near = acoustics.noise(rng, length, 60, 350), 0.5 * signal.sosfilt(acoustics.band(60, 600), engine)
    return far + passing * (near + 0.4 * acoustics.noise(rng, length, 500, 2000))


def hum(rng, length):
    """A machine: a few partials of a tone of about 94 Hz."""
    t, base = np.arange(length) / SAMPLE_RATE, rng.uniform(88, 100)
    tones = sum(np.sin(TWO_PI * (base * k * t + rng.random())) / k for k in (1, 2, 3, 5))
    return tones * (1 + 0.3 * np.sin(TWO_PI * 0.7 * t)) + 0.2 * acoustics.noise(rng, length, 100, 800)


def crickets(rng, length):
    t = np.arange(length) / SAMPLE_RATE
    wave = 0.05 * acoustics.noise(rng, length, 200, 900)
    for _ in range(2):
        pitch, rate = rng.uniform(3900, 4700), rng.uniform(2.2, 3.2)
        pulse = np.clip(np.sin(TWO_PI * rng.uniform(26, 32) * t), 0, 1)
        group = (np.mod(rate * t + rng.random(), 1) < 0.55).astype(float)
        wave += np.sin(TWO_PI * pitch * t) * pulse * signal.sosfilt(acoustics.low_pass(60), group)
    return wave


def bubbles(rng, length):
    wave = 0.5 * acoustics.noise(rng, length, 60, 420)
    for _ in range(int(length / SAMPLE_RATE * 5)):
        t = clock(0.1)
        f = rng.uniform(240, 700)
        acoustics.add(wave, int(rng.integers(length)), 0.9 * np.sin(sweep(f, f * 2.2, t)) * np.exp(-t / 0.03))
    return wave


def village(rng, length):
    """Birds, and a bell every four seconds."""
    wave = 0.4 * birds(rng, length) + 0.15 * acoustics.noise(rng, length, 200, 900)
    for at in np.arange(1.0, length / SAMPLE_RATE, 4.0):
        t = clock(1.8)
        acoustics.add(wave, round(at * SAMPLE_RATE), 0.5 * sum(np.sin(TWO_PI * 392 * r * t) * np.exp(-t / d) for r, d in ((1, 0.7), (2.0, 0.5), (2.8, 0.25))))
    return wave


def clock_ticks(rng, length):
    """Two ticks per second, a high and a low one in turn."""
    wave = 0.12 * acoustics.noise(rng, length, 80, 500)
    for i, at in enumerate(np.arange(0.1, length / SAMPLE_RATE, 0.5)):
        t = clock(0.03)
        acoustics.add(wave, round(at * SAMPLE_RATE), 2.2 * np.sin(TWO_PI * (1900 if i % 2 else 2300) * t) * np.exp(-t / 0.005))
    return wave


def drips(rng, length):
    """Drops of water, each with two echoes."""
    wave = 0.25 * acoustics.noise(rng, length, 70, 400)
    for _ in range(int(length / SAMPLE_RATE * 1.6)):
        at, f = int(rng.integers(length)), rng.uniform(900, 1500)
        for echo, gain in ((0, 1.0), (0.19, 0.45), (0.38, 0.2)):
            t = clock(0.08)
            acoustics.add(wave, at + round(echo * SAMPLE_RATE), 2.0 * gain * np.sin(sweep(f, f * 1.6, t)) * np.exp(-t / 0.02))
    return wave


def rain(rng, length):
    wave = acoustics.noise(rng, length, 900, 7000)
    drops = np.zeros(length)
    drops[rng.integers(0, length, length // 260)] = rng.uniform(2, 9, length // 260)
    return 0.6 * wave + 0.8 * signal.sosfilt(acoustics.band(700, 3600), drops)


def storm(rng, length):
    t = np.arange(length) / SAMPLE_RATE
    gust = 0.6 + 0.4 * np.sin(TWO_PI * 0.25 * t + rng.random()) * np.sin(TWO_PI * 0.125 * t)
    return gust * acoustics.noise(rng, length, 220, 900) + 0.8 * rain(rng, length)


BEDS = {"birds": birds, "waves": waves, "wind": wind, "traffic": traffic, "hum": hum, "crickets": crickets, "bubbles": bubbles, "village": village,
        "clock": clock_ticks, "drips": drips, "rain": rain, "storm": storm}


@functools.lru_cache(maxsize=128)
def bed(name, version):
    """A seamless loop of LOOP_S seconds with RMS 1."""
    over = SAMPLE_RATE // 2
    rng = np.random.default_rng([version, sorted(BEDS).index(name), 3])
    wave = BEDS[name](rng, LOOP_S * SAMPLE_RATE + over)
    ramp = np.sqrt(np.linspace(0, 1, over))
    wave[:over] = wave[:over] * ramp + wave[-over:] * ramp[::-1]
    return acoustics.unit_rms(wave[:-over]).astype(np.float32)


def looped(loop, start, length):
    """`length` samples of a loop from sample `start` on."""
    return np.take(loop, np.arange(start, start + length), mode="wrap")
