"""What the training stages share: where things lie, the clock of a budget, averages of weights, JSON-lines logs, checkpoints."""

import json
import os
import pathlib
import time

import torch

import editions

ROOT = editions.ROOT
CACHE = ROOT / ".cache/train"
WORLD = editions.world()
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PIXEL_MEAN = torch.tensor([0.485, 0.456, 0.406])
PIXEL_STD = torch.tensor([0.229, 0.224, 0.225])
EVAL_SEED = 10**9  # seeds from here on are never trained on


def autocast():
    return torch.autocast(DEVICE, torch.bfloat16)


def threads(count):
    torch.set_num_threads(int(os.environ.get("FABULA_TRAIN_THREADS", count)))


class Log:
    """One JSON object a line, in a file and on the terminal."""

    def __init__(self, name):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.file = open(CACHE / f"{name}.jsonl", "a", buffering=1)

    def __call__(self, **fields):
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in fields.items()})
        self.file.write(line + "\n")
        print(line, flush=True)


class Budget:
    """A wall-clock budget; `rate` is the factor of the learning rate: warm-up, constant, linear decay in the last fifth."""

    def __init__(self, minutes, warmup_steps=60):
        self.start, self.seconds, self.warmup = time.time(), minutes * 60, warmup_steps

    def elapsed(self):
        return time.time() - self.start

    def spent(self):
        return self.elapsed() >= self.seconds

    def rate(self, step):
        left = 1 - self.elapsed() / self.seconds
        return min(1.0, (step + 1) / self.warmup) * max(0.05, min(1.0, left / 0.2))


class Average:
    """Exponential moving average of a model's parameters."""

    def __init__(self, model, decay):
        self.decay, self.steps = decay, 0
        self.values = {n: p.detach().clone() for n, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, p in model.named_parameters():
            self.values[name].lerp_(p, 1 - decay)

    @torch.no_grad()
    def swap(self, model):
        """Exchanges the model's parameters and the averages; call it twice to come back."""
        for name, p in model.named_parameters():
            kept = p.detach().clone()
            p.copy_(self.values[name])
            self.values[name].copy_(kept)


class Optimizer:
    """Muon for the matrices named in `muon`, AdamW for every other parameter; gradients clipped to norm 1."""

    def __init__(self, model, muon, muon_rate, adam_rate, weight_decay=0.0):
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in trained if p.ndim == 2 and muon(n)]
        chosen = {id(p) for p in matrices}
        rest = [p for _, p in trained if id(p) not in chosen]
        self.parts = [torch.optim.AdamW(rest, adam_rate, betas=(0.9, 0.95), weight_decay=weight_decay)]
        if matrices:
            self.parts.append(torch.optim.Muon(matrices, muon_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
        self.rates, self.parameters = [adam_rate, muon_rate], [p for _, p in trained]

    def step(self, factor):
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for part, rate in zip(self.parts, self.rates):
            for group in part.param_groups:
                group["lr"] = rate * factor
            if torch.isfinite(norm):
                part.step()
            part.zero_grad(set_to_none=True)
        return float(norm)

    def state(self):
        return [part.state_dict() for part in self.parts]

    def load(self, states):
        for part, state in zip(self.parts, states):
            part.load_state_dict(state)


def save(path, **state):
    """Writes a checkpoint beside its place and renames it, so that a killed run leaves the last one whole."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
