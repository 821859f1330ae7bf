"""Step distillation: the student learns to cover in one evaluation what the teacher covers in SUBSTEPS (progressive distillation, Salimans and Ho, 2022).

The schedule is cut into EVALUATIONS segments. A sample is noised to the start of one; the teacher (the trained transformer) crosses the segment in SUBSTEPS
evaluations; the student's target is the clean sample towards which one Euler step reaches the same end. The student starts as a copy of the teacher and is
sampled in the same way.

    python tools/train/run.py distil --budget 20 --resume .cache/train/dit.pt
    python tools/train/run.py measure-distilled [--shots 24]       teacher and student on held-out shots
"""

import numpy as np
import torch

from common.training import CACHE, DEVICE, EMA, Budget, Log, Optimizer, save
from networks import dit, latents

EVALUATIONS, SUBSTEPS = 6, 2
BATCH = 48 if DEVICE == "cuda" else 4
REFERENCE_EVALUATIONS = 48  # evaluations of the reference samples
CHECKPOINT = CACHE / "dit_distilled.pt"
CAPACITY = dit.CAPACITY // 8  # shots in the pool; a distillation sees far fewer samples than the training
HELD_OUT_SHOTS, HELD_OUT_BATCHES, HELD_OUT_BATCH = 96, 4, 8  # evaluated: the four most frequent text lengths, up to eight shots each
MUON_RATE, ADAM_RATE, WARMUP_STEPS = 5e-4, 2e-4, 20  # the student starts at the teacher: it needs corrections, not a new solution
EMA_DECAY, RESUMED_EMA_STEPS = 0.99, 500  # a short stage: averages about the last 100 steps
LOG_SECONDS = 30


@torch.no_grad()
def teacher_targets(teacher, batch, video, audio, place):
    """Clean (video, audio) targets at `place` [b]: one Euler step towards them ends where the teacher ends after SUBSTEPS evaluations."""
    x, y, step = video, audio, 1 / (EVALUATIONS * SUBSTEPS)
    for k in range(SUBSTEPS):
        x, y = dit.denoise_step(teacher, batch, x, y, place + k * step, step)
    (a, b), (c, d) = dit.schedule_sigmas(place), dit.schedule_sigmas((place + 1 / EVALUATIONS).clamp_max(1))
    straight = lambda begin, end, s, e: begin + (end - begin) * (s.clamp_min(dit.SIGMA_FLOOR) / (s - e)).view(-1, 1, 1)
    return straight(video, x, a, c), straight(audio, y, b, d)


def distillation_losses(model, teacher, batch, rng, weights, run):
    """Squared velocity errors (video weighted by actors and channels, audio) at a random segment for each sample."""
    b = len(batch["video"])
    place = torch.tensor(rng.integers(0, EVALUATIONS, b) / EVALUATIONS, dtype=torch.float32, device=DEVICE)
    sv, sa = (s.view(-1, 1, 1) for s in dit.schedule_sigmas(place))
    video = (1 - sv) * batch["video"] + sv * torch.randn_like(batch["video"])
    audio = (1 - sa) * batch["audio"] + sa * torch.randn_like(batch["audio"])
    goal_video, goal_audio = teacher_targets(teacher, batch, video, audio, place)
    made_video, made_audio = dit.predict_clean(model, batch, video, audio, place, run)
    error = (weights[0] * ((made_video - goal_video) / sv.clamp_min(dit.SIGMA_FLOOR)).square()).mean(-1)
    weight = 1 + (dit.ACTOR_WEIGHT - 1) * batch["actor"]
    return (weight * error).sum() / weight.sum(), (weights[1] * ((made_audio - goal_audio) / sa.clamp_min(dit.SIGMA_FLOOR)).square()).mean()


def train(budget_minutes, resume=dit.CHECKPOINT, out=CHECKPOINT, planner=latents.BUNDLE / "planner"):
    """Distils until the budget is spent and returns `out`. resume: dit.pt, or a distilled checkpoint, which contains its teacher."""
    state = torch.load(resume or dit.CHECKPOINT, map_location=DEVICE, weights_only=False)
    teacher, model = dit.build(*state["shape"]), dit.build(*state["shape"])
    resumed = "teacher" in state
    teacher.load_state_dict(state["teacher" if resumed else "average"])
    model.load_state_dict(state["model" if resumed else "average"])
    teacher.requires_grad_(False).eval()
    average = EMA(model, EMA_DECAY)
    if resumed:
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, RESUMED_EMA_STEPS
    optimizer = Optimizer(model, dit.is_muon_matrix, MUON_RATE, ADAM_RATE)
    pool, held_out = latents.Pool(planner, CAPACITY), latents.Pool(planner, HELD_OUT_SHOTS, "held_out")
    log, budget = Log("distil"), Budget(budget_minutes, WARMUP_STEPS)
    step = first = state["step"] if resumed else 0
    rng, seen, checked, samples, weights, run = np.random.default_rng([3, step]), [], 0.0, 0, dit.channel_weights(), dit.compiled_forward()

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, teacher=teacher.state_dict(), step=step, shape=state["shape"],
             evaluations=EVALUATIONS)

    held_out = [held_out.batch(bucket[:HELD_OUT_BATCH]) for bucket in sorted(held_out.buckets.values(), key=len)[-HELD_OUT_BATCHES:]]
    references = [sample_batch(teacher, batch, REFERENCE_EVALUATIONS) for batch in held_out]
    log(step=step, **sample_errors(model, references, held_out, EVALUATIONS))
    while not budget.spent():
        batch = pool.batch(pool.draw(rng, BATCH))
        picture, sound = distillation_losses(model, teacher, batch, rng, weights, run)
        (picture + dit.AUDIO_WEIGHT * sound).backward()
        optimizer.step(budget.lr_factor(step - first))
        average.update(model)
        seen.append((picture.detach(), sound.detach()))
        step, samples = step + 1, samples + len(batch["video"])
        if budget.elapsed() - checked > LOG_SECONDS or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            errors = sample_errors(model, references, held_out, EVALUATIONS)
            average.swap(model)
            log(step=step, minutes=budget.elapsed() / 60, samples_per_second=samples / budget.elapsed(),
                picture=float(torch.stack([p for p, _ in seen]).mean()),
                sound=float(torch.stack([s for _, s in seen]).mean()), **errors)
            seen = []
            write()
    write()
    return out


# ---- the error of fewer evaluations

@torch.no_grad()
def sample_batch(model, batch, evaluations, seed=9):
    """(video rows, audio rows) sampled for a batch in this many evaluations, always from the same noise."""
    generator = torch.Generator().manual_seed(seed)
    video, audio = (torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio"))
    return dit.denoise(model, batch, video, audio, 0, evaluations)


def sample_errors(model, references, batches, evaluations):
    """RMS error of a model's samples against `references` (the teacher's in REFERENCE_EVALUATIONS, from the same noise): {"picture_error", "sound_error"}."""
    errors = [[(a - b).square().mean() for a, b in zip(sample_batch(model, batch, evaluations), reference)] for batch, reference in zip(batches, references)]
    return {f"{name}_error": float(torch.stack([e[i] for e in errors]).mean().sqrt()) for i, name in enumerate(("picture", "sound"))}
