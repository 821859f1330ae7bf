"""Generated music for a mood: chords, bass and melody by simple rules on synthesised instruments. Loops at 16 kHz."""

import functools

import numpy as np
from scipy import signal

from world import acoustics
from world.acoustics import SAMPLE_RATE

VERSIONS = 6
MAJOR, MINOR, LYDIAN = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 6, 7, 9, 11)
# Beats per minute, key (MIDI), scale, chords (degrees, one per bar of four beats), instruments of melody and chords, melody notes per beat.
MOODS = {"calm": (72, 60, MAJOR, (0, 5, 3, 4), "harp", "pad", 1), "happy": (120, 62, MAJOR, (0, 4, 5, 3), "marimba", "pluck", 2),
         "sad": (60, 57, MINOR, (0, 5, 2, 6), "piano", "pad", 0.5),
         "playful": (120, 65, MAJOR, (0, 1, 4, 0), "pizzicato", "pluck", 2), "tense": (96, 50, MINOR, (0, 0, 1, 0), "tremolo", "drone", 1),
         "magical": (84, 64, LYDIAN, (0, 1, 0, 4), "bells", "pad", 2)}
BARS = 8
# Partials as (ratio, level), decay in s, attack in s.
INSTRUMENTS = {"harp": (((1, 1), (2, 0.4), (3, 0.15)), 0.7, 0.004), "marimba": (((1, 1), (4, 0.25), (10, 0.05)), 0.28, 0.002),
               "piano": (((1, 1), (2, 0.5), (3, 0.25), (4, 0.12)), 0.9, 0.004),
               "pizzicato": (((1, 1), (2, 0.6), (3, 0.3)), 0.16, 0.002), "bells": (((1, 1), (2.76, 0.4), (5.4, 0.15)), 0.9, 0.002),
               "tremolo": (((1, 1), (2, 0.6), (3, 0.4)), 0.5, 0.08),
               "pluck": (((1, 1), (2, 0.5), (3, 0.25)), 0.3, 0.003), "pad": (((1, 1), (2, 0.3), (1.004, 0.7)), 4.0, 0.35),
               "drone": (((1, 1), (1.5, 0.3), (1.006, 0.8)), 6.0, 0.6),
               "bass": (((1, 1), (2, 0.35)), 0.5, 0.006)}


@functools.lru_cache(maxsize=1024)
def note(instrument, midi, seconds):
    """Samples of one note, float32 at 16 kHz, without partials above 7.5 kHz."""
    partials, decay, attack = INSTRUMENTS[instrument]
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    f = 440 * 2 ** ((midi - 69) / 12)
    wave = sum(level * np.sin(2 * np.pi * f * ratio * t) for ratio, level in partials if f * ratio < 7500)
    if instrument == "tremolo":
        wave = wave * (0.65 + 0.35 * np.sin(2 * np.pi * 9 * t))
    wave = wave * np.exp(-t / decay) * np.clip(t / attack, 0, 1)
    n = min(len(wave) // 2, SAMPLE_RATE // 40)
    wave[-n:] *= np.linspace(1, 0, n)
    return wave.astype(np.float32)


def degree(scale, key, d):
    """MIDI note of the d-th degree of a scale."""
    return key + 12 * (d // 7) + scale[d % 7]


@functools.lru_cache(maxsize=48)
def loop(mood, version):
    """A seamless loop of BARS bars with RMS 1, float32 at 16 kHz; what rings past its end is added at its start."""
    tempo, key, scale, chords, tune, harmony, density = MOODS[mood]
    rng = np.random.default_rng([version, sorted(MOODS).index(mood), 11])
    beat, key = 60 / tempo, key + int(rng.integers(-2, 3))
    length = round(BARS * 4 * beat * SAMPLE_RATE)
    wave = np.zeros(length + 6 * SAMPLE_RATE)

    def play(instrument, midi, at, beats, level):
        """Adds a note that starts at beat `at` and lasts `beats` beats."""
        piece = note(instrument, midi, round(max(beats * beat, 0.3), 4))
        start = round(at * beat * SAMPLE_RATE)
        wave[start:start + len(piece)] += level * piece
    figure = [int(v) for v in rng.integers(0, 5, max(2, int(4 * density)))]  # the melody repeats, so that it can be hummed
    for bar in range(BARS):
        root = chords[bar % len(chords)]
        for d in (0, 2, 4):
            if harmony in ("pad", "drone"):
                play(harmony, degree(scale, key, root + d) - (12 if harmony == "drone" else 0), 4 * bar, 4, 0.28)
            else:
                for b in (1, 3):
                    play(harmony, degree(scale, key, root + d), 4 * bar + b, 0.8, 0.26)
        for b in (0, 2) if tempo > 80 else (0,):
            play("bass", degree(scale, key, root + (4 if b else 0)) - 24, 4 * bar + b, 1.8, 0.7)
        count = max(1, int(4 * density))
        for i in range(count):
            if rng.random() < (0.8 if i == 0 else 0.62):
                d = root + figure[(i + (2 if bar % 4 == 3 else 0)) % len(figure)] + (1 if rng.random() < 0.15 else 0)
                play(tune, degree(scale, key, d) + (12 if tune in ("bells", "marimba", "pizzicato") else 0), 4 * bar + i * 4 / count, max(4 / count, 0.5) * 1.6,
                     0.6)
        if mood in ("happy", "playful"):
            for i in range(8):
                hit = acoustics.noise(rng, SAMPLE_RATE // 20, 3000, 7000) * np.exp(-np.arange(SAMPLE_RATE // 20) / 160)
                start = round((4 * bar + i / 2) * beat * SAMPLE_RATE)
                wave[start:start + len(hit)] += (0.05 if i % 2 else 0.02) * hit
    wave[:6 * SAMPLE_RATE] += wave[length:length + 6 * SAMPLE_RATE]
    wave = signal.sosfilt(acoustics.low_pass(6500), wave[:length])
    return acoustics.unit_rms(wave).astype(np.float32)
