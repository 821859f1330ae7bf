"""Looks at, measures and checks the storybook world from the command line. Trains nothing.

    python tools/train/run.py preview film --seed N -o OUT.mp4 [--plain]   a drawn film with sound, annotated with its truth unless --plain
    python tools/train/run.py preview sheet --seed N --count M -o OUT.png  frames of M drawn shots, one row each
    python tools/train/run.py preview plan --seed N                        the drawn plan as JSON
    python tools/train/run.py preview rate [--seconds S] [--sound]         clips per second on one core, extrapolated to 16 cores
    python tools/train/run.py preview check [--count N]                    hold-outs, truth and repeatability of N drawn films
"""

import argparse
import json
import time

import cv2
import numpy as np

from storybook import checks, mixing, overlay, stage, stories, tracks

STREAM = 7  # drawn films are numpy streams [STREAM, seed]


def film(seed, split="training", shots=None):
    """The plan of a drawn film."""
    rng = np.random.default_rng([STREAM, seed])
    return stories.sample_film(rng, split, shots) if shots else stories.sample_plan(rng, split)[1]


def write_film(arguments):
    """Writes a drawn film with sound."""
    plan = film(arguments.seed, arguments.split)
    frames, sounds = [], []
    for i in range(len(plan["shots"])):
        if arguments.plain:
            picture, wave = stage.render_shot(plan, i, arguments.seed, mixing.phones_of(plan, i))[0], mixing.render_sound(plan, i, arguments.seed)
        else:
            picture, wave = overlay.annotated(plan, i, arguments.seed)
        frames.append(picture)
        sounds.append(wave)
    overlay.write_movie(arguments.out, np.concatenate(frames), np.concatenate(sounds), tracks.FPS)
    print(f"{arguments.out}: {plan['treatment']}")


def sheet(arguments):
    """Writes an image with five frames of each drawn shot."""
    rows = []
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        plan = film(seed, arguments.split, shots=1)
        frames, _, truth = stage.render_shot(plan, 0, seed, mixing.phones_of(plan, 0))
        row = np.ascontiguousarray(np.hstack([frames[i] for i in np.linspace(2, len(frames) - 4, 5).astype(int)]))
        moves = ", ".join(f'{e["who"]} {" ".join(w for _, w in e["moves"])}' for e in truth["entities"])
        head = f'{seed} {truth["place"]} {truth["time"]} {truth["weather"]} {truth["camera"]["size"]} {truth["camera"]["move"]}'
        overlay.write_text(row, f'{head}: {moves} {truth["moods"]}', 3, 11, (255, 255, 255), 0.33)
        rows.append(row)
    cv2.imwrite(arguments.out, np.vstack(rows)[..., ::-1])


def print_plan(arguments):
    """Prints a drawn plan."""
    print(json.dumps(film(arguments.seed, arguments.split), indent=1))


def rate(arguments):
    """Prints the CPU time per shot on one thread; every film is drawn and rendered once."""
    kinds = {"drawing plans": 0.0, "pictures": 0.0, "sound": 0.0}
    seed, clips, begin, films = arguments.seed, 0, time.perf_counter(), 0
    while time.perf_counter() - begin < arguments.seconds:
        if films == arguments.warm:  # after sprites and backdrops are cached
            kinds, clips = dict.fromkeys(kinds, 0.0), 0
        marks = [time.process_time()]
        plan = film(seed)
        marks.append(time.process_time())
        for i in range(len(plan["shots"])):
            frames = stage.render_shot(plan, i, seed)[0]
        marks.append(time.process_time())
        for i in range(len(plan["shots"]) if arguments.sound else 0):
            mixing.render_sound(plan, i, seed)
        marks.append(time.process_time())
        for name, a, b in zip(kinds, marks, marks[1:]):
            kinds[name] += b - a
        seed, films, clips = seed + 1, films + 1, clips + len(plan["shots"])
    whole = sum(kinds.values())
    for name, seconds in kinds.items():
        print(f"{name}: {1000 * seconds / clips:.1f} ms per clip")
    picture = kinds["pictures"] / clips
    print(f"{clips} clips of {len(frames)} frames {frames.shape[2]}x{frames.shape[1]} on one core: pictures {1 / picture:.1f} per second (16 cores, computed: "
          f"{16 / picture:.0f}), all together {clips / whole:.1f} (computed: {16 * clips / whole:.0f})")


def check(arguments):
    """Runs `checks.run`."""
    checks.run(arguments.count, STREAM, arguments.seed)


def main():
    """`run.py preview`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["film", "sheet", "plan", "rate", "check"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=["training", "held_out", "any"], default="training")
    parser.add_argument("-o", "--out", default="out.mp4")
    parser.add_argument("--plain", action="store_true", help="without annotations")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--warm", type=int, default=0, help="films rendered before the measurement")
    parser.add_argument("--sound", action="store_true")
    arguments = parser.parse_args()
    {"film": write_film, "sheet": sheet, "plan": print_plan, "rate": rate, "check": check}[arguments.what](arguments)
