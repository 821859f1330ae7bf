"""Fewer steps: the transformer learns to make in one evaluation the way that it went in SUBSTEPS (after progressive distillation, Salimans and Ho, 2022).

The schedule of EVALUATIONS steps cuts the way from noise to picture and sound into as many segments. A clip is noised to the beginning of one, the
teacher (the transformer as it was) goes through it in small steps, and the student's clean sample there is drawn towards the one that leads straight to the
segment's end. The student starts as the teacher, and is sampled as the teacher is.

    python tools/train/run.py distil --budget 20 --resume .cache/train/dit.pt
    python tools/train/distil.py [--shots 24]       measures teacher and student on held-out shots
"""

import argparse
import json

import numpy as np
import torch

import dit
import judge_picture
import latents
import recogniser
import video_vae
from training import CACHE, DEVICE, GPU_SCALE, Average, Budget, Log, Optimizer, autocast, save, threads

EVALUATIONS, SUBSTEPS = 6, 2
BATCH = 4 * GPU_SCALE
MANY = 48  # evaluations of the sample that others are compared with
MEASURED = (4, 6, 8, 12)
HELD_OUT = 4  # shots that the training looks at


@torch.no_grad()
def taught(teacher, batch, video, audio, place):
    """Clean samples that lead from `place` [b] straight to where the teacher comes in SUBSTEPS steps at the end of the segment."""
    x, y, step = video, audio, 1 / (EVALUATIONS * SUBSTEPS)
    for k in range(SUBSTEPS):
        x, y = dit.evaluated(teacher, batch, x, y, place + k * step, step)
    (a, b), (c, d) = dit.levels(place), dit.levels((place + 1 / EVALUATIONS).clamp_max(1))
    straight = lambda begin, end, s, e: begin + (end - begin) * (s.clamp_min(dit.SIGMA_FLOOR) / (s - e)).view(-1, 1, 1)
    return straight(video, x, a, c), straight(audio, y, b, d)


def losses(model, teacher, batch, rng, channels):
    """Squared errors (weighted to actors and `channels`, sound), as velocities, at a segment drawn for each sample."""
    b = len(batch["video"])
    place = torch.tensor(rng.integers(0, EVALUATIONS, b) / EVALUATIONS, dtype=torch.float32, device=DEVICE)
    sv, sa = (s.view(-1, 1, 1) for s in dit.levels(place))
    video = (1 - sv) * batch["video"] + sv * torch.randn_like(batch["video"])
    audio = (1 - sa) * batch["audio"] + sa * torch.randn_like(batch["audio"])
    goal_video, goal_audio = taught(teacher, batch, video, audio, place)
    made_video, made_audio = dit.clean(model, batch, video, audio, place)
    error = (channels * ((made_video - goal_video) / sv.clamp_min(dit.SIGMA_FLOOR)).square()).mean(-1)
    weight = 1 + (dit.ACTOR_WEIGHT - 1) * batch["actor"]
    return (weight * error).sum() / weight.sum(), ((made_audio - goal_audio) / sa.clamp_min(dit.SIGMA_FLOOR)).square().mean()


def train(budget_minutes, resume=CACHE / "dit.pt", out=CACHE / "dit_distilled.pt", planner=latents.BUNDLE / "planner"):
    """Distils until the budget is spent. `resume`: dit.pt, or a distilled checkpoint to go on from, which has its teacher with it."""
    state = torch.load(resume or CACHE / "dit.pt", map_location=DEVICE, weights_only=False)
    teacher, model = dit.build(*state["shape"]), dit.build(*state["shape"])
    goes_on = "teacher" in state
    teacher.load_state_dict(state["teacher" if goes_on else "average"])
    model.load_state_dict(state["model" if goes_on else "average"])
    teacher.requires_grad_(False).eval()
    average = Average(model, 0.99)
    if goes_on:
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, 500
    optimizer = Optimizer(model, lambda n: "_blocks" in n and "adaln" not in n, 5e-4, 2e-4)
    data, log, budget = latents.Dataset(planner), Log("distil"), Budget(budget_minutes, 20)
    step = first = state["step"] if goes_on else 0
    rng, seen, checked, samples, channels = np.random.default_rng([3, step]), [], 0.0, 0, dit.channel_weights()

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, teacher=teacher.state_dict(), step=step, shape=state["shape"],
             evaluations=EVALUATIONS)

    judged = data.held_out[::max(1, len(data.held_out) // HELD_OUT)][:HELD_OUT]
    far = walk(teacher, judged, MANY)
    log(step=step, **distance(model, far, judged, EVALUATIONS))
    while not budget.spent():
        batch = latents.collate(dit.draw_batch(rng, data.shots, BATCH))
        picture, sound = losses(model, teacher, batch, rng, channels)
        (picture + dit.AUDIO_WEIGHT * sound).backward()
        optimizer.step(budget.rate(step - first))
        average.update(model)
        seen.append((float(picture.detach()), float(sound.detach())))
        step, samples = step + 1, samples + len(batch["video"])
        if budget.elapsed() - checked > 150 or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            errors = distance(model, far, judged, EVALUATIONS)
            average.swap(model)
            log(step=step, minutes=budget.elapsed() / 60, samples_per_second=samples / budget.elapsed(), picture=float(np.mean([p for p, _ in seen])),
                sound=float(np.mean([s for _, s in seen])), **errors)
            seen = []
            write()
    write()


# ---- what it costs

@torch.no_grad()
def walk(model, items, evaluations, seed=9):
    """Samples (video rows, audio rows) of held-out items in this many evaluations, always from the same noise."""
    batch, generator = latents.collate(items), torch.Generator().manual_seed(seed)
    video, audio = (torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio"))
    return dit.led(model, batch, video, audio, 0, evaluations)


def distance(model, far, items, evaluations):
    """Root mean square error of a model's samples against those of `far` (of the teacher in MANY evaluations, from the same noise), of picture and sound."""
    return {f"{name}_error": float((a - b).square().mean().sqrt()) for name, a, b in zip(("picture", "sound"), walk(model, items, evaluations), far)}


@torch.no_grad()
def measure(shots, log):
    """Teacher and student at MEASURED evaluations: distance from many steps, and what the recogniser reads from the decoded pictures."""
    models = {"before": dit.load(CACHE / "dit.pt"), "after": dit.load(CACHE / "dit_distilled.pt")}
    entries = torch.load(CACHE / "latents/held_out.pt", weights_only=False)
    rows = iter(latents.states("held_out", None))
    items = [{**shot, "rows": next(rows), "wanted": judge_picture.meaning(entry["plan"], entry["plan"]["shots"][shot["shot"]])} for entry in entries for shot in entry["shots"]][:shots]
    vae, judge = video_vae.load(CACHE / "video_vae_final.pt"), recogniser.load()[0]
    mean, std = video_vae.statistics(vae)
    parts = [items[i:i + 4] for i in range(0, len(items), 4)]
    many = [walk(models["before"], part, MANY) for part in parts]
    for name, evaluations in [("before", MANY)] + [(name, e) for e in MEASURED for name in models]:
        errors, right = [], {"place": [], "time": [], "actors": []}
        for part, (far_video, far_audio) in zip(parts, many):
            video, audio = walk(models[name], part, evaluations)
            errors.append([float((a - b).square().mean().sqrt()) for a, b in ((video, far_video), (audio, far_audio))])
            for item, z in zip(part, video):
                c, t, h, w = item["video"].shape
                z = dit.layout.unpatchify(z[None], c, t, h, w) * std + mean
                with autocast():
                    frames = video_vae.to_pixels(video_vae.kept(video_vae.decode(vae, z))[0])
                seen = recogniser.judge(judge, frames[list(judge_picture.MIDDLE)], len(item["wanted"]["actors"]))
                for aspect in ("place", "time"):
                    right[aspect].append(seen[aspect] == item["wanted"][aspect])
                right["actors"].append(seen["actors"] == set(item["wanted"]["actors"]))
        log(model=name, evaluations=evaluations, shots=len(items), picture_error=float(np.mean(errors, 0)[0]), sound_error=float(np.mean(errors, 0)[1]),
            **{k: float(np.mean(v)) for k, v in right.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=24)
    threads(1)
    with (CACHE / "distil_measured.json").open("w") as file:
        def record(**fields):
            file.write(json.dumps(fields) + "\n")
            print(json.dumps(fields), flush=True)
        measure(parser.parse_args().shots, record)
