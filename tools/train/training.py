"""What the training stages share: where things lie, the clock of a budget, averages of weights, JSON-lines logs, checkpoints, processes that make data."""

import json
import multiprocessing
import os
import pathlib
import time

import numpy as np
import torch

import editions

ROOT = editions.ROOT
CACHE = ROOT / ".cache/train"
WORLD = editions.world()
# What is trained on each edition of the world: the model's name, and the sizes of its parts where they differ. Both ship in less than 64 MB.
MODEL = {
    "nano": {"name": "nano", "planner": dict(hidden_size=192, intermediate_size=384, num_hidden_layers=4, num_attention_heads=6, num_key_value_heads=2, head_dim=32), "tap_layer": 3,
             "transformer": dict(hidden_size=256, num_attention_heads=4, num_layers=6, ffn_dim=768), "video_decoder": dict(decoder_num_layers=4, decoder_num_attention_heads=3)},
    "full": {"name": "mini", "planner": dict(hidden_size=256, intermediate_size=768, num_hidden_layers=6, num_attention_heads=8, num_key_value_heads=2, head_dim=32), "tap_layer": 4,
             "transformer": dict(hidden_size=384, num_attention_heads=6, num_layers=7, ffn_dim=1024), "video_decoder": dict(decoder_num_layers=6, decoder_num_attention_heads=4)},
}[editions.EDITION]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
GPU_SCALE = 8 if DEVICE == "cuda" else 1  # batches on a GPU against those on a processor
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


def _produce(queue, make, seed):
    os.nice(5)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    while True:
        queue.put(make(rng))


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


def produced(make, seed):
    """Endless results of `make(rng)`, by WORKERS processes if there are any; `make` must be one that can be pickled."""
    if not WORKERS:
        rng = np.random.default_rng(seed)
        while True:
            yield make(rng)
    queue = multiprocessing.get_context("spawn").Queue(maxsize=2 * WORKERS)
    processes = [started(_produce, queue, make, [*seed, 1 + i]) for i in range(WORKERS)]
    try:
        while True:
            yield queue.get()
    finally:
        for process in processes:
            process.terminate()
