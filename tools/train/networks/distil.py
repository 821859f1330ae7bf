"""Fewer steps: the transformer learns to make in one evaluation the way that it went in SUBSTEPS (after progressive distillation, Salimans and Ho, 2022).

The schedule of EVALUATIONS steps cuts the way from noise to picture and sound into as many segments. A clip is noised to the beginning of one, the
teacher (the transformer as it was) goes through it in small steps, and the student's clean sample there is drawn towards the one that leads straight to the
segment's end. The student starts as the teacher, and is sampled as the teacher is.

    python tools/train/run.py distil --budget 20 --resume .cache/train/dit.pt
    python tools/train/distil.py [--shots 24]       measures teacher and student on held-out shots
"""


import numpy as np
import torch

from common.training import CACHE, DEVICE, Average, Budget, Log, Optimizer, save
from networks import dit, latents

EVALUATIONS, SUBSTEPS = 6, 2
BATCH = 48 if DEVICE == "cuda" else 4
MANY = 48  # evaluations of the sample that others are compared with
MEASURED = (4, 6, 8, 12)
CHECKPOINT = CACHE / "dit_distilled.pt"
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


def losses(model, teacher, batch, rng, weights, run):
    """Squared errors (weighted to actors and channels, sound), as velocities, at a segment drawn for each sample."""
    b = len(batch["video"])
    place = torch.tensor(rng.integers(0, EVALUATIONS, b) / EVALUATIONS, dtype=torch.float32, device=DEVICE)
    sv, sa = (s.view(-1, 1, 1) for s in dit.levels(place))
    video = (1 - sv) * batch["video"] + sv * torch.randn_like(batch["video"])
    audio = (1 - sa) * batch["audio"] + sa * torch.randn_like(batch["audio"])
    goal_video, goal_audio = taught(teacher, batch, video, audio, place)
    made_video, made_audio = dit.clean(model, batch, video, audio, place, run)
    error = (weights[0] * ((made_video - goal_video) / sv.clamp_min(dit.SIGMA_FLOOR)).square()).mean(-1)
    weight = 1 + (dit.ACTOR_WEIGHT - 1) * batch["actor"]
    return (weight * error).sum() / weight.sum(), (weights[1] * ((made_audio - goal_audio) / sa.clamp_min(dit.SIGMA_FLOOR)).square()).mean()


def train(budget_minutes, resume=dit.CHECKPOINT, out=CHECKPOINT, planner=latents.BUNDLE / "planner"):
    """Distils until the budget is spent. `resume`: dit.pt, or a distilled checkpoint to go on from, which has its teacher with it."""
    state = torch.load(resume or dit.CHECKPOINT, map_location=DEVICE, weights_only=False)
    teacher, model = dit.build(*state["shape"]), dit.build(*state["shape"])
    goes_on = "teacher" in state
    teacher.load_state_dict(state["teacher" if goes_on else "average"])
    model.load_state_dict(state["model" if goes_on else "average"])
    teacher.requires_grad_(False).eval()
    average = Average(model, 0.99)
    if goes_on:
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, 500
    optimizer = Optimizer(model, dit.muon, 5e-4, 2e-4)
    pool, judged, log, budget = latents.Pool(planner, dit.CAPACITY // 8), latents.Pool(planner, 96, "held_out"), Log("distil"), Budget(budget_minutes, 20)
    step = first = state["step"] if goes_on else 0
    rng, seen, checked, samples, weights, run = np.random.default_rng([3, step]), [], 0.0, 0, dit.channel_weights(), dit.compiled()

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, teacher=teacher.state_dict(), step=step, shape=state["shape"],
             evaluations=EVALUATIONS)

    judged = [judged.batch(bucket[:8]) for bucket in sorted(judged.buckets.values(), key=len)[-HELD_OUT:]]
    far = [walk(teacher, batch, MANY) for batch in judged]
    log(step=step, **distance(model, far, judged, EVALUATIONS))
    while not budget.spent():
        batch = pool.batch(pool.draw(rng, BATCH))
        picture, sound = losses(model, teacher, batch, rng, weights, run)
        (picture + dit.AUDIO_WEIGHT * sound).backward()
        optimizer.step(budget.rate(step - first))
        average.update(model)
        seen.append((picture.detach(), sound.detach()))
        step, samples = step + 1, samples + len(batch["video"])
        if budget.elapsed() - checked > 30 or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            errors = distance(model, far, judged, EVALUATIONS)
            average.swap(model)
            log(step=step, minutes=budget.elapsed() / 60, samples_per_second=samples / budget.elapsed(),
                picture=float(torch.stack([p for p, _ in seen]).mean()),
                sound=float(torch.stack([s for _, s in seen]).mean()), **errors)
            seen = []
            write()
    write()
    return out


# ---- what it costs

@torch.no_grad()
def walk(model, batch, evaluations, seed=9):
    """Samples (video rows, audio rows) of a batch in this many evaluations, always from the same noise."""
    generator = torch.Generator().manual_seed(seed)
    video, audio = (torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio"))
    return dit.led(model, batch, video, audio, 0, evaluations)


def distance(model, far, batches, evaluations):
    """Root mean square error of a model's samples against those of `far` (of the teacher in MANY evaluations, from the same noise), of picture and sound."""
    errors = [[(a - b).square().mean() for a, b in zip(walk(model, batch, evaluations), many)] for batch, many in zip(batches, far)]
    return {f"{name}_error": float(torch.stack([e[i] for e in errors]).mean().sqrt()) for i, name in enumerate(("picture", "sound"))}
