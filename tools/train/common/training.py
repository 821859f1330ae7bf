"""What the training stages share: where things lie, the clock of a budget, averages of weights, JSON-lines logs, checkpoints, processes that make data."""

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
SHARDS = CACHE / "latents"  # of rendered shots (latents.py)
WORLD = editions.world()
# The sizes of the shipped model's parts: less than 90 MB in all, no file above 50 MB.
MODEL = {"name": "mini", "tap_layer": 3,
         "planner": dict(hidden_size=256, intermediate_size=768, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=2, head_dim=32),
         "transformer": dict(hidden_size=384, num_attention_heads=3, attention_head_dim=128, num_layers=8, ffn_dim=1024, time_embed_hidden_dim=128,
                             time_embed_dim=32),
         "video_decoder": dict(decoder_num_layers=4, decoder_num_attention_heads=4)}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WORKERS = int(os.environ.get("FABULA_TRAIN_WORKERS", max(1, (os.cpu_count() or 2) - 2) if DEVICE == "cuda" else 0))  # processes that make data
PIECE_BYTES = 15 * 2**20
PIXEL_MEAN = torch.tensor([0.485, 0.456, 0.406])
PIXEL_STD = torch.tensor([0.229, 0.224, 0.225])
EVAL_SEED = 10**9  # seeds from here on are never trained on


def multiplies_bfloat16():
    """Whether bfloat16 is faster than float32 here: on a GPU, and on processors with AVX-512 BF16."""
    cpu = pathlib.Path("/proc/cpuinfo")
    return DEVICE == "cuda" or (cpu.exists() and "avx512_bf16" in cpu.read_text())


BFLOAT16 = multiplies_bfloat16()


def autocast():
    return torch.autocast(DEVICE, torch.bfloat16, enabled=BFLOAT16)


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
    """A wall-clock budget; `rate` is the factor of the learning rate: warm-up, constant, and at the end of the last piece of training (FABULA_TRAIN_DECAY,
    the share of the budget; 0 where further pieces follow) a linear decay. `cosine` falls from the beginning."""

    def __init__(self, minutes, warmup_steps=60):
        self.start, self.seconds, self.warmup, self.decay = time.time(), minutes * 60, warmup_steps, float(os.environ.get("FABULA_TRAIN_DECAY", 0.2))

    def elapsed(self):
        return time.time() - self.start

    def spent(self):
        return self.elapsed() >= self.seconds

    def rate(self, step):
        left = 1 - self.elapsed() / self.seconds
        return min(1.0, (step + 1) / self.warmup) * (max(0.02, min(1.0, left / self.decay)) if self.decay else 1.0)

    def cosine(self, step):
        return min(1.0, (step + 1) / self.warmup) * (0.02 + 0.98 * math.cos(min(1.0, self.elapsed() / self.seconds) * math.pi / 2) ** 2)


class Average:
    """Exponential moving average of a model's parameters."""

    def __init__(self, model, decay):
        self.decay, self.steps = decay, 0
        self.values = {n: p.detach().clone() for n, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.values.values()), [p.detach() for _, p in model.named_parameters()], 1 - decay)

    @torch.no_grad()
    def swap(self, model):
        """Exchanges the model's parameters and the averages; call it twice to come back."""
        for name, p in model.named_parameters():
            kept = p.detach().clone()
            p.copy_(self.values[name])
            self.values[name].copy_(kept)


def orthogonalised(x):
    """The nearest orthogonal matrices of a stack [n, rows, columns], about: five Newton-Schulz steps (Jordan, "Muon", 2024). In float32 on a processor:
    one without a bfloat16 matrix unit takes twelve times as long in bfloat16."""
    x = x.to(torch.bfloat16 if DEVICE == "cuda" else torch.float32)
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    for _ in range(5):
        square = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.transpose(1, 2) if tall else x


class Muon:
    """Nesterov momentum, orthogonalised, with steps as large as AdamW's (root mean square .2); matrices of one shape together."""

    def __init__(self, matrices, momentum=0.95, weight_decay=0.0):
        self.momentum, self.weight_decay, self.groups = momentum, weight_decay, {}
        for p in matrices:
            self.groups.setdefault(p.shape, []).append(p)
        self.buffers = {shape: torch.zeros(len(group), *shape, device=DEVICE) for shape, group in self.groups.items()}

    @torch.no_grad()
    def step(self, rate):
        for shape, group in self.groups.items():
            gradient, buffer = torch.stack([p.grad for p in group]), self.buffers[shape]
            buffer.lerp_(gradient, 1 - self.momentum)
            change = orthogonalised(gradient.lerp(buffer, self.momentum)).float() * (0.2 * max(shape) ** 0.5)
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, list(change.unbind()), alpha=-rate)


class Optimizer:
    """Muon for the matrices named in `muon`, AdamW for every other parameter; gradients clipped to norm 1."""

    def __init__(self, model, muon, muon_rate, adam_rate, weight_decay=0.0):
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in trained if p.ndim == 2 and muon(n)]
        chosen = {id(p) for p in matrices}
        rest = [p for _, p in trained if id(p) not in chosen]
        self.adam = torch.optim.AdamW(rest, adam_rate, betas=(0.9, 0.95), weight_decay=weight_decay, fused=DEVICE == "cuda")
        self.muon = Muon(matrices, weight_decay=weight_decay)
        self.rates, self.parameters = (adam_rate, muon_rate), [p for _, p in trained]

    def step(self, factor):
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, error_if_nonfinite=False)
        for group in self.adam.param_groups:
            group["lr"] = self.rates[0] * factor
        if torch.isfinite(norm):  # one step that overflowed must not end a run of hours
            self.adam.step()
            self.muon.step(self.rates[1] * factor)
        self.adam.zero_grad(set_to_none=True)
        for group in self.muon.groups.values():
            for p in group:
                p.grad = None
        return norm

    def state(self):
        return {"adam": self.adam.state_dict(), "muon": self.muon.buffers}

    def load(self, state):
        self.adam.load_state_dict(state["adam"])
        for shape, buffer in state["muon"].items():
            self.muon.buffers[shape].copy_(buffer)


def save(path, **state):
    """Writes a checkpoint beside its place and renames it, so that a killed run leaves the last one whole."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def split(path, folder):
    """Writes a checkpoint as `folder/NAME.00`, `.01` … of at most PIECE_BYTES each, for whatever carries small files alone."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{path.name}.[0-9][0-9]"):
        old.unlink()
    with open(path, "rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(PIECE_BYTES), b"")):
            (folder / f"{path.name}.{number:02}").write_bytes(piece)


def join(path):
    """`path` itself if it is there, else what its pieces `path.00` … give, put together in the cache."""
    path = pathlib.Path(path)
    if path.exists():
        return path
    pieces = sorted(path.parent.glob(f"{path.name}.[0-9][0-9]"))
    if not pieces or [p.suffix for p in pieces] != [f".{i:02}" for i in range(len(pieces))]:
        raise SystemExit(f"{path}: neither this checkpoint nor all of its pieces {path.name}.00 … are there")
    whole = CACHE / "joined" / path.name
    whole.parent.mkdir(parents=True, exist_ok=True)
    with open(whole, "wb") as file:
        for piece in pieces:
            file.write(piece.read_bytes())
    return whole


def started(target, *arguments):
    """A daemon process of its own that sees no GPU: what makes data draws on the processor."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    if shown is None:
        del os.environ["CUDA_VISIBLE_DEVICES"]
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = shown
    return process
