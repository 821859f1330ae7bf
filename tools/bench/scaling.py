"""Plots how time grows with rows and with shots, for one thread and two: docs/pictures/scaling.svg.

    scaling.py BUILD PLAN OUT.svg      (nothing but the standard library)

BUILD is a build folder (bin/fabula, bin/h3_bench), PLAN a short plan of the default model. Times one evaluation of the transformer against the rows of its
sequence, the video decoder against frames, and films of the plan's shots, repeated, against their number (one sampler step, canvas size, no store). Each line's
exponent is that of a power law through its last three points. Prints the figures; other programs that run at the same time spoil them.
"""

import argparse
import json
import math
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

FRAMES = [22, 39, 73, 141, 277]
SHOTS = [3, 6, 12, 30]
COLOURS = {1: "#3b6ea8", 2: "#d2691e"}
WIDTH, HEIGHT, MARGIN = 300, 260, 52


def exponent(points):
    """Of y = c · x^e through the last three (x, y), by least squares of the logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points[-3:]]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def model_times(build, bundle, threads):
    """Seconds of (evaluations by rows, decoding by frames)."""
    evaluations, decodings = [], []
    for frames in FRAMES:
        command = [build / "bin/h3_bench", bundle, "--threads", threads, "--precision", "bf16", "--frames", frames, "--repeats", 2]
        text = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
        for what, count, milliseconds in re.findall(r"\| (transformer step|VAE decode), (\d+) .*\| ([\d.]+) ms", text):
            (evaluations if what == "transformer step" else decodings).append((int(count), float(milliseconds) / 1000))
    return evaluations, decodings


def repeated(plan, count):
    """The plan with `count` shots: its own, in turn, end to end."""
    film = json.loads(json.dumps(plan))
    film["shots"], at = [], 0
    for i in range(count):
        shot = json.loads(json.dumps(plan["shots"][i % len(plan["shots"])]))
        moved = at - shot["start_ms"]
        shot["id"], shot["start_ms"] = f"s{10 * (i + 1):04d}", at
        for line in shot["dialogue"]:
            line["start_ms"] += moved
            line["end_ms"] += moved
        film["shots"].append(shot)
        at += shot["duration_ms"]
    film["total_ms"] = at
    return film


def patient_bundle(bundle, folder):
    """A copy of the bundle, of links, whose planner takes as many shots as are asked for."""
    copy = folder / "bundle"
    copy.mkdir()
    for entry in bundle.iterdir():
        if entry.name != "world.json":
            (copy / entry.name).symlink_to(entry.resolve())
    world = json.loads((bundle / "world.json").read_text())
    world["max_shots"] = max(SHOTS)
    (copy / "world.json").write_text(json.dumps(world))
    return copy


def film_times(build, bundle, plan, threads, folder):
    """Seconds of a film by its number of shots."""
    times = []
    for shots in SHOTS:
        file = folder / f"{shots}.json"
        file.write_text(json.dumps(repeated(plan, shots)))
        command = [build / "bin/fabula", "render", file, "-o", folder / "film.mp4", "-y", "-q", "--model", bundle, "--threads", threads]
        begin = time.perf_counter()
        subprocess.run([str(part) for part in command] + ["--steps", "1", "--scale", "1", "--no-store", "--no-gate"], check=True)
        times.append((shots, time.perf_counter() - begin))
    return times


def panel(left, title, unit, lines):
    """SVG of one logarithmic plot; `lines` is {threads: [(x, seconds)]}."""
    points = [point for line in lines.values() for point in line]
    ends = [(min(values), max(values)) for values in zip(*points, strict=True)]

    def place(x, y):
        (x0, x1), (y0, y1) = ends
        return (left + MARGIN + (WIDTH - 2 * MARGIN) * math.log(x / x0) / math.log(x1 / x0),
                HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * math.log(y / y0) / math.log(y1 / y0))

    svg = [f'<text x="{left + WIDTH / 2}" y="20" text-anchor="middle" font-weight="bold">{title}</text>',
           f'<text x="{left + WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{unit}</text>']
    for x in sorted({x for x, _ in points}):
        at, bottom = place(x, ends[1][0])
        svg.append(f'<text x="{at:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{x}</text>')
    for y in ends[1]:
        svg.append(f'<text x="{left + MARGIN - 8}" y="{place(ends[0][0], y)[1] + 4:.1f}" text-anchor="end">{y:.2g} s</text>')
    for at, (threads, line) in enumerate(lines.items()):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        svg.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[threads]}" stroke-width="2"/>')
        label = f"{threads} thread{'s' if threads > 1 else ''}: exponent {exponent(line):.2f}"
        svg.append(f'<text x="{left + MARGIN + 4}" y="{MARGIN + 4 + 16 * at}" fill="{COLOURS[threads]}">{label}</text>')
    return "\n".join(svg)


def main():
    """Measures, prints, and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("plan", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bundle", type=Path, default=Path("assets/models/nano"))
    args = parser.parse_args()
    rows, frames, films = {}, {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        bundle = patient_bundle(args.bundle, Path(scratch))
        for threads in (1, min(2, os.cpu_count() or 1)):
            rows[threads], frames[threads] = model_times(args.build, args.bundle, threads)
            films[threads] = film_times(args.build, bundle, json.loads(args.plan.read_text()), threads, Path(scratch))
    plots = [("Evaluation of the transformer", "rows of the sequence", rows), ("Video decoder", "frames", frames), ("Film, one step", "shots", films)]
    for title, unit, lines in plots:
        for threads, line in lines.items():
            print(f"{title}, {threads} threads, exponent {exponent(line):.2f}: " + ", ".join(f"{x} {unit}: {y:.3f} s" for x, y in line))
        if len(lines) > 1:
            print("  ratio " + ", ".join(f"{a[1] / b[1]:.2f}" for a, b in zip(lines[1], lines[2], strict=True)))
    panels = "\n".join(panel(i * WIDTH, title, unit, lines) for i, (title, unit, lines) in enumerate(plots))
    args.out.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(plots)} {HEIGHT}" font-family="sans-serif" font-size="11">\n'
                        f'<rect width="100%" height="100%" fill="white"/>\n{panels}\n</svg>\n')


if __name__ == "__main__":
    main()
