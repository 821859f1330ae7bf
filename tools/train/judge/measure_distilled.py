"""Measures what distillation costs: teacher and student on held-out shots at several numbers of evaluations.

    python tools/train/run.py measure-distilled [--shots 24]

Writes distil_measured.json (JSON lines) to the cache; `evaluate` includes it in its report.
"""

import argparse
import json

import numpy as np
import torch

from common.training import CACHE, autocast, set_threads
from judge import judge_picture, recogniser
from networks import distil, dit, latents, video_vae

EVALUATIONS = (4, 6, 8, 12)  # measured for teacher and student
MEASURED = CACHE / "distil_measured.json"


@torch.no_grad()
def measure(shots, log):
    """Calls `log` with one record per model and number of evaluations: distance from distil.MANY evaluations of the teacher, and the shares of decoded frames
    whose place, time and actors the recogniser reads correctly."""
    models = {"before": dit.load(dit.CHECKPOINT), "after": dit.load(distil.CHECKPOINT)}
    pool = latents.Pool(latents.BUNDLE / "planner", shots, "held_out")
    groups = list(pool.buckets.values())
    batches, vae, judge = [pool.batch(g) for g in groups], video_vae.load(), recogniser.load()[0]
    mean, std = video_vae.latent_statistics(vae)
    many = [distil.sample_batch(models["before"], batch, distil.REFERENCE_EVALUATIONS) for batch in batches]
    for name, evaluations in [("before", distil.REFERENCE_EVALUATIONS)] + [(name, e) for e in EVALUATIONS for name in models]:
        errors, right = distil.sample_errors(models[name], many, batches, evaluations), {"place": [], "time": [], "actors": []}
        for group, batch in zip(groups, batches):
            video, _ = distil.sample_batch(models[name], batch, evaluations)
            for index, z in zip(group, video):
                plan, shot, _ = pool.sources[index]
                wanted = judge_picture.expected(plan, plan["shots"][shot])
                z = dit.layout.unpatchify(z[None], *pool.store["video"].shape[1:]) * std + mean
                with autocast():
                    frames = video_vae.to_pixels(video_vae.drop_leading_frames(video_vae.decode(vae, z))[0])
                seen = recogniser.judge(judge, frames[list(judge_picture.JUDGED_FRAMES)], len(wanted["actors"]))
                for aspect in ("place", "time"):
                    right[aspect].append(seen[aspect] == wanted[aspect])
                right["actors"].append(seen["actors"] == set(wanted["actors"]))
        log(model=name, evaluations=evaluations, shots=pool.count, **errors, **{k: float(np.mean(v)) for k, v in right.items()})


def main():
    """`run.py measure-distilled`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=24)
    arguments = parser.parse_args()
    set_threads(1)
    with MEASURED.open("w") as file:
        def record(**fields):
            file.write(json.dumps(fields) + "\n")
            print(json.dumps(fields), flush=True)
        measure(arguments.shots, record)
