"""What all training stages share: paths and model sizes, the time budget, EMA, optimizers, JSON-lines logs, checkpoints, data processes."""

import json
import math
import multiprocessing
import os
import pathlib
import time

import torch

from world import editions

ROOT = editions.ROOT
CACHE = pathlib.Path(os.environ.get("FABULA_TRAIN_CACHE", ROOT / ".cache/train"))
SHARDS = CACHE / "latents"  # shards of rendered shots (networks/latents.py)
WORLD = editions.world()
# Sizes of the trained model: less than 90 MB in total, no file above 50 MB.
MODEL = {"name": "mini", "tap_layer": 3,
         "planner": dict(hidden_size=256, intermediate_size=768, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=2, head_dim=32),
         "transformer": dict(hidden_size=384, num_attention_heads=3, attention_head_dim=128, num_layers=8, ffn_dim=1024, time_embed_hidden_dim=128,
                             time_embed_dim=32),
         "video_decoder": dict(decoder_num_layers=4, decoder_num_attention_heads=4)}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WORKERS = int(os.environ.get("FABULA_TRAIN_WORKERS", max(1, (os.cpu_count() or 2) - 2) if DEVICE == "cuda" else 0))  # data-making processes
PIECE_BYTES = 15 * 2**20
# ImageNet statistics, which the video autoencoder's inputs are normalised with.
PIXEL_MEAN = torch.tensor([0.485, 0.456, 0.406])
PIXEL_STD = torch.tensor([0.229, 0.224, 0.225])
EVAL_SEED = 10**9  # seeds from here on are for evaluation only


def has_fast_bfloat16():
    """Whether bfloat16 is faster than float32: on a GPU, and on a CPU with AVX-512 BF16."""
    cpu = pathlib.Path("/proc/cpuinfo")
    return DEVICE == "cuda" or (cpu.exists() and "avx512_bf16" in cpu.read_text())


BFLOAT16 = has_fast_bfloat16()


def autocast():
    """Context manager: bfloat16 autocast where it is faster, else a no-op."""
    return torch.autocast(DEVICE, torch.bfloat16, enabled=BFLOAT16)


def set_threads(count):
    """Sets torch's thread count; FABULA_TRAIN_THREADS overrides `count`."""
    torch.set_num_threads(int(os.environ.get("FABULA_TRAIN_THREADS", count)))


class Log:
    """Appends JSON lines to CACHE/NAME.jsonl and prints them. Floats are rounded to 5 decimals."""

    def __init__(self, name):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.file = open(CACHE / f"{name}.jsonl", "a", buffering=1)

    def __call__(self, **fields):
        """Writes one record."""
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in fields.items()})
        self.file.write(line + "\n")
        print(line, flush=True)


class Budget:
    """A wall-clock budget in minutes that also drives the learning rate. warmup_steps: steps of its linear warm-up."""

    def __init__(self, minutes, warmup_steps=60):
        self.start, self.seconds, self.warmup, self.decay = time.time(), minutes * 60, warmup_steps, float(os.environ.get("FABULA_TRAIN_DECAY", 0.2))

    def elapsed(self):
        """Seconds since the start."""
        return time.time() - self.start

    def spent(self):
        """Whether the budget is used up."""
        return self.elapsed() >= self.seconds

    def lr_factor(self, step):
        """Learning-rate factor at `step` (counted from this run's first): linear warm-up, constant, then linear decay over the last FABULA_TRAIN_DECAY (0.2)
        of the budget. FABULA_TRAIN_DECAY=0 disables the decay, for runs that will be continued."""
        left = 1 - self.elapsed() / self.seconds
        return min(1.0, (step + 1) / self.warmup) * (max(0.02, min(1.0, left / self.decay)) if self.decay else 1.0)

    def cosine_lr_factor(self, step):
        """Learning-rate factor at `step`: linear warm-up, then cosine decay over the whole budget down to 2 %."""
        return min(1.0, (step + 1) / self.warmup) * (0.02 + 0.98 * math.cos(min(1.0, self.elapsed() / self.seconds) * math.pi / 2) ** 2)


class EMA:
    """Exponential moving average of a model's parameters, {name: tensor} in `values`. decay: the share of the old average that a step keeps, after its
    warm-up."""

    def __init__(self, model, decay):
        self.decay, self.steps = decay, 0
        self.values = {n: p.detach().clone() for n, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model):
        """One averaging step. The effective decay warms up as (1 + steps) / (10 + steps), so that the starting weights are forgotten."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.values.values()), [p.detach() for _, p in model.named_parameters()], 1 - decay)

    @torch.no_grad()
    def swap(self, model):
        """Exchanges the model's parameters and the averages; a second call restores both."""
        for name, p in model.named_parameters():
            kept = p.detach().clone()
            p.copy_(self.values[name])
            self.values[name].copy_(kept)


def orthogonalize(x):
    """Approximates the nearest orthogonal matrices of a stack [n, rows, columns] by five Newton-Schulz steps (Jordan, "Muon", 2024). Uses float32 on a CPU:
    without a bfloat16 matrix unit, bfloat16 takes twelve times as long."""
    x = x.to(torch.bfloat16 if DEVICE == "cuda" else torch.float32)
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    for _ in range(5):
        square = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.transpose(1, 2) if tall else x


class Muon:
    """Nesterov momentum with orthogonalized updates (Jordan, 2024), scaled to AdamW's usual update size (RMS 0.2). Matrices of one shape are updated as one
    batch."""

    def __init__(self, matrices, momentum=0.95, weight_decay=0.0):
        self.momentum, self.weight_decay, self.groups = momentum, weight_decay, {}
        for p in matrices:
            self.groups.setdefault(p.shape, []).append(p)
        self.buffers = {shape: torch.zeros(len(group), *shape, device=DEVICE) for shape, group in self.groups.items()}

    @torch.no_grad()
    def step(self, rate):
        """One step with learning rate `rate`."""
        for shape, group in self.groups.items():
            gradient, buffer = torch.stack([p.grad for p in group]), self.buffers[shape]
            buffer.lerp_(gradient, 1 - self.momentum)
            change = orthogonalize(gradient.lerp(buffer, self.momentum)).float() * (0.2 * max(shape) ** 0.5)
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, list(change.unbind()), alpha=-rate)


class Optimizer:
    """Muon for matrices whose name satisfies `muon`, AdamW for all other trainable parameters; gradients are clipped to norm 1. The rates are peak learning
    rates."""

    def __init__(self, model, muon, muon_rate, adam_rate, weight_decay=0.0):
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in trained if p.ndim == 2 and muon(n)]
        chosen = {id(p) for p in matrices}
        rest = [p for _, p in trained if id(p) not in chosen]
        self.adam = torch.optim.AdamW(rest, adam_rate, betas=(0.9, 0.95), weight_decay=weight_decay, fused=DEVICE == "cuda")
        self.muon = Muon(matrices, weight_decay=weight_decay)
        self.rates, self.parameters = (adam_rate, muon_rate), [p for _, p in trained]

    def step(self, factor):
        """Steps with both learning rates times `factor` and clears the gradients. Skips the update if the gradient norm is not finite. Returns the norm."""
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, error_if_nonfinite=False)
        for group in self.adam.param_groups:
            group["lr"] = self.rates[0] * factor
        if torch.isfinite(norm):  # one overflow must not ruin a run of hours
            self.adam.step()
            self.muon.step(self.rates[1] * factor)
        self.adam.zero_grad(set_to_none=True)
        for group in self.muon.groups.values():
            for p in group:
                p.grad = None
        return norm

    def state(self):
        """Optimizer state for `load`."""
        return {"adam": self.adam.state_dict(), "muon": self.muon.buffers}

    def load(self, state):
        """Restores what `state` returned."""
        self.adam.load_state_dict(state["adam"])
        for shape, buffer in state["muon"].items():
            self.muon.buffers[shape].copy_(buffer)


def save(path, **state):
    """Writes a checkpoint atomically (temporary file, then rename), so that a killed run keeps the previous one."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def split_checkpoint(path, folder):
    """Copies a checkpoint to folder/NAME.00, NAME.01 … of at most PIECE_BYTES each, for transports that accept only small files."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{path.name}.[0-9][0-9]"):
        old.unlink()
    with open(path, "rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(PIECE_BYTES), b"")):
            (folder / f"{path.name}.{number:02}").write_bytes(piece)


def join_checkpoint(path):
    """`path` if it exists, else its pieces `path.00` … joined in the cache. Raises SystemExit if pieces are missing."""
    path = pathlib.Path(path)
    if path.exists():
        return path
    pieces = sorted(path.parent.glob(f"{path.name}.[0-9][0-9]"))
    if not pieces or [p.suffix for p in pieces] != [f".{i:02}" for i in range(len(pieces))]:
        raise SystemExit(f"{path}: found neither this checkpoint nor a complete set of pieces {path.name}.00 …")
    whole = CACHE / "joined" / path.name
    whole.parent.mkdir(parents=True, exist_ok=True)
    with open(whole, "wb") as file:
        for piece in pieces:
            file.write(piece.read_bytes())
    return whole


def start_process(target, *arguments):
    """Starts a daemon process that runs target(*arguments) and sees no GPU: data is made on the CPU."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    if shown is None:
        del os.environ["CUDA_VISIBLE_DEVICES"]
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = shown
    return process
