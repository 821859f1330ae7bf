"""Trains the small AutoencoderKLMiniMaxH3Audio (mono, 16 kHz, 40 latents a second) on rendered sound.

    python audio_vae.py --budget 28 --out FOLDER [--resume] [--decoder-only]

Loss: multi-resolution STFT magnitudes (Yamamoto et al., 2020), log mel, a little waveform L1, a tiny KL. `--decoder-only` keeps the encoder, and so the
latents and everything trained on them, as it is. One JSON line per report goes to `audio_vae.jsonl` beside the checkpoint.
"""
import argparse
import json
import math
import pathlib
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLMiniMaxH3Audio

import sound_data

warnings.filterwarnings("ignore", category=FutureWarning)

CONFIG = dict(encoder_dim=12, encoder_rates=(4, 4, 5, 5), latent_dim=128, latent_channels=16, num_attention_heads=4, decoder_dim=256,
              decoder_rates=(5, 5, 4, 4), decoder_kernel_sizes=(9, 9, 8, 8), resblock_kernel_sizes=(3, 7),
              resblock_dilation_sizes=((1,), (3,)), sampling_rate=16000)
HOP = math.prod(CONFIG["encoder_rates"])
CACHE = pathlib.Path(__file__).resolve().parents[2] / ".cache/train"
TRAIN_CLIPS, TRAIN_SEED, HELD_OUT_CLIPS, HELD_OUT_SEED = 2500, 1, 24, 990_001
STEP_SECONDS = 3.2  # of sound in one step: full clips or crops
LEARNING_RATE, KL_WEIGHT, WAVE_WEIGHT, EMA_DECAY = 7e-4, 5e-4, 4.0, 0.998


def new(seed: int = 0) -> AutoencoderKLMiniMaxH3Audio:
    """The model with fresh weights and unit latent statistics."""
    torch.manual_seed(seed)
    return AutoencoderKLMiniMaxH3Audio(**CONFIG, latents_mean=[0.0] * CONFIG["latent_channels"], latents_std=[1.0] * CONFIG["latent_channels"])


@torch.no_grad()
def initialise(model: AutoencoderKLMiniMaxH3Audio, wave: torch.Tensor) -> None:
    """Scales fresh weights so that `wave` [batch, samples] goes through at unit deviation: as built, the signal fades by 20 dB
    on its way out and in, and nothing is learnt for a long time. (Mishkin and Matas, "All you need is a good init", 2016.)"""
    def target(name: str) -> float:
        if name == "decoder.conv_post":
            return wave.std().item()
        inner = name.endswith(".block.3") or ".convs2." in name  # the last convolution of a residual branch
        return 0.3 if inner else 1.0

    def rescale(name: str):
        def hook(module, _, output):
            factor = target(name) / output.std()
            (module.weight_g if hasattr(module, "weight_g") else module.weight).mul_(factor)
            return output * factor
        return hook

    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)) and name != "logs_proj":
            if module.bias is not None:
                module.bias.zero_()
            hooks.append(module.register_forward_hook(rescale(name)))
    model.logs_proj.weight.mul_(0.1)
    model.logs_proj.bias.fill_(-2.0)  # little posterior noise, or it drowns the first signal
    model.decode(model.encode(wave[:, None]).latent_dist.mode())
    for hook in hooks:
        hook.remove()


def load(path: str) -> AutoencoderKLMiniMaxH3Audio:
    """An exported folder, for inference."""
    return AutoencoderKLMiniMaxH3Audio.from_pretrained(path).eval().requires_grad_(False)


@torch.no_grad()
def encode_latents(model: AutoencoderKLMiniMaxH3Audio, wave: np.ndarray | torch.Tensor, num_latents: int) -> torch.Tensor:
    """Normalised latents [batch, channels, num_latents] of `wave` [batch, samples] (float, ±1), cut or padded to num_latents hops."""
    wave = torch.as_tensor(wave, dtype=torch.float32)[:, :num_latents * model.hop_length]
    latents = model.encode(F.pad(wave, (0, num_latents * model.hop_length - wave.shape[-1]))[:, None]).latent_dist.mode()
    mean, std = (torch.tensor(v).view(1, -1, 1) for v in (model.config.latents_mean, model.config.latents_std))
    return (latents - mean) / std


@torch.no_grad()
def decode_latents(model: AutoencoderKLMiniMaxH3Audio, latents: torch.Tensor) -> torch.Tensor:
    """Samples [batch, num_latents * hop] of normalised latents."""
    mean, std = (torch.tensor(v).view(1, -1, 1) for v in (model.config.latents_mean, model.config.latents_std))
    return model.decode(latents * std + mean).sample[:, 0]


# ---- losses

def mel_filters(bins: int, bands: int, rate: int) -> torch.Tensor:
    """Triangular filters [bands, bins], evenly spaced on the mel scale (HTK), from 0 to rate / 2."""
    edges = 700 * (10 ** (torch.linspace(0, 2595 * math.log10(1 + rate / 1400), bands + 2) / 2595) - 1)
    frequency = torch.linspace(0, rate / 2, bins)
    rise = (frequency - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - frequency) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0)


def magnitudes(wave: torch.Tensor, size: int) -> torch.Tensor:
    """STFT magnitudes [batch, bins, frames] of `wave` [batch, samples], hop size / 4."""
    spectrum = torch.stft(wave, size, size // 4, window=torch.hann_window(size), return_complex=True)
    return torch.sqrt(spectrum.real ** 2 + spectrum.imag ** 2 + 1e-7)


class Losses:
    """The reconstruction loss between two waves [batch, samples]; louder items of a batch weigh more."""
    sizes = (128, 512, 1024, 2048)

    def __init__(self, rate: int):
        self.mel = mel_filters(1024 // 2 + 1, 64, rate)

    def log_mel(self, magnitude: torch.Tensor) -> torch.Tensor:
        """Natural log of mel magnitudes [batch, bands, frames] of a 1024-point STFT."""
        return torch.log(self.mel @ magnitude + 0.05)  # the floor lies some 45 dB below speech

    def __call__(self, wave: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        total = WAVE_WEIGHT * (wave - target).abs().mean()
        for size in self.sizes:
            a, b = magnitudes(wave, size), magnitudes(target, size)
            floor = 3e-3 * size ** 0.5  # the same level of noise at every size
            total = total + (torch.linalg.vector_norm(a - b) / torch.linalg.vector_norm(b)) / len(self.sizes)
            total = total + (torch.log(a + floor) - torch.log(b + floor)).abs().mean() / len(self.sizes)
            if size == 1024:
                total = total + (self.log_mel(a) - self.log_mel(b)).abs().mean()
        return total


# ---- training

class Trainer:
    """Model, its moving average, optimiser and progress; saved and resumed as one file."""

    def __init__(self, path: pathlib.Path, decoder_only: bool):
        self.path, self.decoder_only = path, decoder_only
        self.model = new()
        self.ema = new().requires_grad_(False)
        torch._dynamo.config.recompile_limit = 64  # a width and a length each
        for module in self.model.modules():
            if type(module).__name__ in ("MiniMaxH3AudioSnakeBeta", "MiniMaxH3AudioSnake1d"):
                module.forward = torch.compile(module.forward, dynamic=False)  # fused, a step takes four fifths of the time
        if decoder_only:
            for part in (self.model.encoder, self.model.pre_block, self.model.mean_proj, self.model.logs_proj):
                part.requires_grad_(False)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=LEARNING_RATE, betas=(0.8, 0.99), weight_decay=0.0)
        self.step, self.seconds = 0, 0.0

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "ema": self.ema.state_dict(), "step": self.step, "seconds": self.seconds,
                 "optimiser": self.optimiser.state_dict(), "decoder_only": self.decoder_only}
        torch.save(state, self.path.with_suffix(".tmp"))
        self.path.with_suffix(".tmp").rename(self.path)

    def resume(self) -> None:
        state = torch.load(self.path, map_location="cpu")
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        if state["decoder_only"] == self.decoder_only:
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
        elif self.decoder_only:  # a new stage: it starts from the average, its clock from zero
            self.model.load_state_dict(state["ema"])

    def update(self, wave: torch.Tensor, losses: Losses, rate: float) -> dict:
        """One optimiser step on `wave` [batch, samples]."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        posterior = self.model.encode(wave[:, None]).latent_dist
        latents = posterior.mean + posterior.std * torch.randn_like(posterior.mean)
        reconstruction = losses(self.model.decode(latents).sample[:, 0], wave)
        kl = (-posterior.logs + 0.5 * (posterior.std ** 2 + posterior.mean ** 2 - 1)).mean()
        self.optimiser.zero_grad(set_to_none=True)
        (reconstruction + KL_WEIGHT * kl).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, value in zip(self.ema.parameters(), self.model.parameters()):
                average.lerp_(value, 1 - decay)
        self.step += 1
        return {"loss": reconstruction.item(), "kl": kl.item()}


def batch(clips: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """STEP_SECONDS of sound: whole clips, or more and shorter crops (both cut to whole hops)."""
    full = clips.shape[1] // HOP * HOP
    length = full if rng.random() < 0.4 else rng.choice((16, 32)) * HOP
    count = max(1, round(STEP_SECONDS * CONFIG["sampling_rate"] / length))
    starts = rng.integers(0, clips.shape[1] - length + 1, count)
    rows = [clips[i, s:s + length] for i, s in zip(rng.integers(0, len(clips), count), starts)]
    return torch.as_tensor(np.stack(rows).astype(np.float32) / 32767) * float(rng.uniform(0.7, 1.2))


@torch.no_grad()
def evaluate(model: AutoencoderKLMiniMaxH3Audio, clips: np.ndarray, losses: Losses) -> dict:
    """Mel distance (mean absolute difference of natural log mel) and SNR (dB) of the model's reconstructions."""
    wave = torch.as_tensor(clips[:, :clips.shape[1] // HOP * HOP].astype(np.float32) / 32767)
    result = model.decode(model.encode(wave[:, None]).latent_dist.mode()).sample[:, 0]
    mel = (losses.log_mel(magnitudes(result, 1024)) - losses.log_mel(magnitudes(wave, 1024))).abs().mean()
    snr = 10 * torch.log10(wave.pow(2).sum(1) / (wave - result).pow(2).sum(1))
    return {"mel": round(mel.item(), 4), "snr_db": round(snr.mean().item(), 2), "level_db": round(20 * math.log10(result.std() / wave.std()), 2)}


@torch.no_grad()
def latent_statistics(model: AutoencoderKLMiniMaxH3Audio, clips: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each latent channel over `clips`."""
    wave = torch.as_tensor(clips[:, :clips.shape[1] // HOP * HOP].astype(np.float32) / 32767)
    latents = torch.cat([model.encode(w[:, None]).latent_dist.mode() for w in wave.split(16)]).permute(1, 0, 2).flatten(1)
    return [round(v, 6) for v in latents.mean(1).tolist()], [round(v, 6) for v in latents.std(1).tolist()]


def export(model: AutoencoderKLMiniMaxH3Audio, out: pathlib.Path, clips: np.ndarray | None, statistics: tuple | None = None) -> None:
    """Writes the diffusers folder; the latents' statistics are those given, or taken over `clips`."""
    if statistics or clips is not None:
        mean, std = statistics or latent_statistics(model, clips)
        model.register_to_config(latents_mean=mean, latents_std=std)
    model.save_pretrained(out)


def train(budget_minutes: float, resume: bool, out: pathlib.Path, decoder_only: bool = False) -> dict:
    """Trains for `budget_minutes` in all (earlier runs counted in), then exports the average to `out`. Returns the held-out figures."""
    torch.manual_seed(time.time_ns() % 2 ** 31)
    rng = np.random.default_rng()
    CACHE.mkdir(parents=True, exist_ok=True)
    clips = sound_data.clips(TRAIN_CLIPS, TRAIN_SEED, CACHE)
    held_out = sound_data.clips(HELD_OUT_CLIPS, HELD_OUT_SEED, CACHE)
    losses, trainer = Losses(CONFIG["sampling_rate"]), Trainer(CACHE / "audio_vae.pt", decoder_only)
    kept = tuple(json.loads((out / "config.json").read_text())[k] for k in ("latents_mean", "latents_std")) if decoder_only else None
    if resume:
        trainer.resume()
    else:
        initialise(trainer.model, batch(clips, rng))
        trainer.ema.load_state_dict(trainer.model.state_dict())
    log = open(CACHE / "audio_vae.jsonl", "a")
    before, begin, mean_loss = trainer.seconds, time.time(), 0.0
    while trainer.seconds < budget_minutes * 60:
        progress = trainer.seconds / (budget_minutes * 60)
        rate = LEARNING_RATE * min(1, (trainer.step + 1) / 100) * (0.03 + 0.97 * math.cos(progress * math.pi / 2) ** 2)
        figures = trainer.update(batch(clips, rng), losses, rate)
        trainer.seconds = before + time.time() - begin
        mean_loss += 0.03 * (figures["loss"] - mean_loss) if trainer.step > 1 else figures["loss"]
        if trainer.step % 100 == 0:
            report = {"step": trainer.step, "minutes": round(trainer.seconds / 60, 2), "loss": round(mean_loss, 4), "kl": round(figures["kl"], 3)}
            if trainer.step % 200 == 0:
                report |= evaluate(trainer.ema, held_out, losses)
                trainer.save()
            log.write(json.dumps(report) + "\n")
            log.flush()
            print(json.dumps(report), flush=True)
    trainer.save()
    export(trainer.ema, out, clips[:400], kept)
    figures = {"step": trainer.step, "final": True} | evaluate(trainer.ema, held_out, losses)
    log.write(json.dumps(figures) + "\n")
    print(json.dumps(figures), flush=True)
    return figures


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--budget", type=float, default=28, help="minutes in all")
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--resume", action="store_true")
    arguments.add_argument("--decoder-only", action="store_true")
    arguments.add_argument("--init", action="store_true", help="export fresh weights only")
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    if options.init:
        export(new(), options.out, None)
    else:
        train(options.budget, options.resume, options.out, options.decoder_only)
