"""Plots the stages' logs: one PNG per log, with one panel per figure over the steps. Copies the logs beside them.

    python tools/train/run.py plot [--out FOLDER]       default: training/ of the bundle in the cache
"""

import argparse
import json
import pathlib
import shutil

import cv2
import numpy as np

from common.training import CACHE

PANEL, MARGIN, COLUMNS = (330, 170), 34, 3
LEFT_OUT = {"step", "minutes", "shots", "evaluations"}
INK, GRID, LINE = (40, 40, 40), (225, 225, 225), (180, 90, 20)


def curves(path):
    """{figure: [(step, value)]} of a log, in order of appearance."""
    found = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        for name, value in record.items():
            if name not in LEFT_OUT and isinstance(value, (int, float)) and not isinstance(value, bool):
                found.setdefault(name, []).append((record["step"], value))
    return found


def write(image, text, at, size=0.38):
    """Writes small text into an image; `at`: (x, y) of its lower left corner."""
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)


def panel(name, points):
    """One figure's image, uint8 [h,w,3]. points: [(step, value)]. The scale ignores the highest 5 %, which are the first steps."""
    width, height = PANEL
    image = np.full((height, width, 3), 255, np.uint8)
    x, y = np.array(points, np.float64).T
    low, high = y.min(), np.quantile(y, 0.95) if len(y) > 20 else y.max()
    low, high = (low, high) if high > low else (low - 0.5, low + 0.5)
    box = (MARGIN + 16, 24, width - 12, height - MARGIN)
    for part in (0, 0.5, 1):
        row = round(box[3] - part * (box[3] - box[1]))
        cv2.line(image, (box[0], row), (box[2], row), GRID, 1)
        write(image, f"{low + part * (high - low):.4g}", (2, row + 4), 0.33)
    across = box[0] + (x - x.min()) / max(1, np.ptp(x)) * (box[2] - box[0])
    down = box[3] - np.clip((y - low) / (high - low), 0, 1) * (box[3] - box[1])
    cv2.polylines(image, [np.stack([across, down], 1).round().astype(np.int32)], False, LINE, 1, cv2.LINE_AA)
    if len(points) == 1:
        cv2.circle(image, (round(across[0]), round(down[0])), 2, LINE, -1, cv2.LINE_AA)
    write(image, f"{name}: {y[-1]:.4g}", (box[0], 15), 0.42)
    write(image, f"step {x.min():.0f}", (box[0], height - 14), 0.33)
    write(image, f"{x.max():.0f}", (box[2] - 44, height - 14), 0.33)
    return image


def draw(path):
    """A log's image, uint8 [h,w,3] with COLUMNS panels in a row, or None if the log holds no figures."""
    panels = [panel(name, points) for name, points in curves(path).items()]
    if not panels:
        return None
    panels += [np.full_like(panels[0], 255)] * (-len(panels) % COLUMNS)
    return np.concatenate([np.concatenate(panels[i:i + COLUMNS], 1) for i in range(0, len(panels), COLUMNS)])


def main():
    """`run.py plot`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=CACHE / "bundle/training")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(CACHE.glob("*.jsonl")):
        if (image := draw(path)) is not None:
            cv2.imwrite(str(out / f"{path.stem}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
            shutil.copy(path, out / path.name)
            print(out / f"{path.stem}.png")
