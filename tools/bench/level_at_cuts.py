"""Whether films have holes or clicks at their cuts: the level of 5 ms windows there against that of the sound nearby.

usage: level_at_cuts.py FILM.mp4 ...   (needs numpy, ffmpeg and ffprobe; the cuts are the film's chapters)

A voice or a bed of low notes falls and rises by itself within 5 ms, so a fixed limit in dB says little; the same is measured at random places of
the film beside it. A hole is a window quieter than any in the 50 ms before and after the cut.
"""

import json
import subprocess
import sys

import numpy as np

RATE = 48000
WINDOW, HOP, NEAR, FAR = RATE * 5 // 1000, RATE // 800, RATE * 10 // 1000, RATE * 60 // 1000
RANDOM_PLACES = 400


def decibels(samples):
    """The level of some samples."""
    return 10 * np.log10(np.mean(samples**2) + 1e-12)


def windows(samples):
    """Levels of all 5 ms windows, in dB."""
    return [decibels(samples[i:i + WINDOW]) for i in range(0, len(samples) - WINDOW + 1, HOP)]


def fall(sound, at):
    """(dB by which the quietest window around `at` is below the quieter side's level; below the quietest window on either side)."""
    before, after = sound[at - FAR:at - NEAR], sound[at + NEAR:at + FAR]
    lowest = min(windows(sound[at - NEAR + WINDOW // 2:at + NEAR - WINDOW // 2]))
    return min(decibels(before), decibels(after)) - lowest, min(windows(before) + windows(after)) - lowest


def main(films):
    """Prints a line a film."""
    random = np.random.default_rng(1)
    for film in films:
        raw = subprocess.run(["ffmpeg", "-v", "error", "-i", film, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"], capture_output=True, check=True).stdout
        sound = np.frombuffer(raw, np.float32).astype(float)
        probe = subprocess.run(["ffprobe", "-v", "error", "-show_chapters", "-of", "json", film], capture_output=True, check=True).stdout
        cuts = [round(float(chapter["start_time"]) * RATE) for chapter in json.loads(probe)["chapters"][1:]]
        at_cuts = np.array([fall(sound, cut) for cut in cuts if FAR < cut < len(sound) - FAR])
        elsewhere = np.array([fall(sound, int(at)) for at in random.integers(FAR, len(sound) - FAR, RANDOM_PLACES)])
        print(f"{film}: {len(at_cuts)} cuts, {(at_cuts[:, 1] > 0).sum()} with a hole; more than 6 dB below the surroundings: "
              f"{100 * (at_cuts[:, 0] > 6).mean():.0f} % of the cuts (deepest {at_cuts[:, 0].max():.1f} dB), "
              f"{100 * (elsewhere[:, 0] > 6).mean():.0f} % of other places (deepest {elsewhere[:, 0].max():.1f} dB)")


if __name__ == "__main__":
    main(sys.argv[1:])
