"""Measures whether films have holes or clicks at their cuts: compares the level of 5 ms windows at each cut with that of the sound nearby.

usage: level_at_cuts.py FILM.mp4 ...   (needs numpy, ffmpeg and ffprobe; the cuts are the film's chapters)

A voice or a bed of low notes falls and rises by itself within 5 ms, so a fixed limit in dB says little. The same figure is therefore also measured at random
places of the film. A hole is a window that is quieter than any in the 50 ms before and after the cut.
"""

import json
import subprocess
import sys

import numpy as np

RATE = 48000
WINDOW, HOP, NEAR, FAR = RATE * 5 // 1000, RATE // 800, RATE * 10 // 1000, RATE * 60 // 1000  # in samples: 5, 1.25, 10 and 60 ms
RANDOM_PLACES = 400


def decibels(samples):
    """Level of samples in dB relative to full scale, with a floor of -120 dB."""
    return 10 * np.log10(np.mean(samples**2) + 1e-12)


def windows(samples):
    """Levels in dB of the 5 ms windows, one every 1.25 ms."""
    return [decibels(samples[i:i + WINDOW]) for i in range(0, len(samples) - WINDOW + 1, HOP)]


def fall(sound, at):
    """How far, in dB, the quietest window around sample `at` is below (the quieter of the two sides, the quietest window of either side). The sides are the 50
    ms before and after, 10 ms away."""
    before, after = sound[at - FAR:at - NEAR], sound[at + NEAR:at + FAR]
    lowest = min(windows(sound[at - NEAR + WINDOW // 2:at + NEAR - WINDOW // 2]))
    return min(decibels(before), decibels(after)) - lowest, min(windows(before) + windows(after)) - lowest


def main(films):
    """Prints one line per film."""
    random = np.random.default_rng(1)
    for film in films:
        raw = subprocess.run(["ffmpeg", "-v", "error", "-i", film, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"], capture_output=True, check=True).stdout
        sound = np.frombuffer(raw, np.float32).astype(float)
        probe = subprocess.run(["ffprobe", "-v", "error", "-show_chapters", "-of", "json", film], capture_output=True, check=True).stdout
        cuts = [round(float(chapter["start_time"]) * RATE) for chapter in json.loads(probe)["chapters"][1:]]
        at_cuts = np.array([fall(sound, cut) for cut in cuts if FAR < cut < len(sound) - FAR])
        if len(at_cuts) == 0:
            print(f"{film}: no cuts")
            continue
        elsewhere = np.array([fall(sound, int(at)) for at in random.integers(FAR, len(sound) - FAR, RANDOM_PLACES)])
        print(f"{film}: {len(at_cuts)} cuts, {(at_cuts[:, 1] > 0).sum()} with a hole; more than 6 dB below the surroundings: "
              f"{100 * (at_cuts[:, 0] > 6).mean():.0f} % of the cuts (deepest {at_cuts[:, 0].max():.1f} dB), "
              f"{100 * (elsewhere[:, 0] > 6).mean():.0f} % of other places (deepest {elsewhere[:, 0].max():.1f} dB)")


if __name__ == "__main__":
    main(sys.argv[1:])
