"""Trains the small AutoencoderKLMiniMaxH3Audio (mono, 16 kHz, 40 latents a second) on rendered sound.

    python audio_vae.py --budget 28 --out FOLDER [--resume]

The encoder learns first, by regression onto features that say what is heard and that a transformer can predict: the principal components of
log mel frames, pitch, and how periodic the sound is. Left to itself an autoencoder this small spends its latents on the phases of the lowest harmonics,
which nobody can predict, and formants come late. Then the encoder is kept, and the decoder learns to sound like its input: log mel and
multi-resolution STFT magnitudes (Yamamoto et al., 2020). One JSON line per report goes to `audio_vae.jsonl` beside the checkpoint.
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
ENCODER_MINUTES = 10  # a third of the budget at most
LEARNING_RATE, EMA_DECAY = 7e-4, 0.998
LATENT_NOISE = 0.1  # of the latents' deviation, while the decoder learns: what it will get from a transformer is not exact


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
    model.logs_proj.weight.zero_()
    model.logs_proj.bias.fill_(math.log(LATENT_NOISE))
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


def log_mel(magnitude: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
    """Natural log of mel magnitudes [batch, bands, frames] of a 1024-point STFT."""
    return torch.log(mel @ magnitude + 0.03)  # the floor lies some 50 dB below speech


class Features:
    """What the latents hold: [batch, latent_channels, samples / HOP] of `wave` [batch, samples], each of about unit deviation: log mel
    components, periodicity (0 to 1, scaled), and the pitch in octaves where the sound is periodic."""
    components, lags = CONFIG["latent_channels"] - 2, (40, 267)  # pitches of 60 to 400 Hz at 16 kHz

    def __init__(self, clips: torch.Tensor, rate: int):
        self.mel, self.window = mel_filters(1024 // 2 + 1, 64, rate), torch.hann_window(1024)
        frames = log_mel(self._spectrum(clips).abs(), self.mel).permute(1, 0, 2).flatten(1)
        self.mean = frames.mean(1, keepdim=True)
        basis, deviations, _ = torch.linalg.svd((frames - self.mean) / frames.shape[1] ** 0.5, full_matrices=False)
        self.project = (basis[:, :self.components] / deviations[:self.components]).T
        self.kept = float(deviations[:self.components].square().sum() / deviations.square().sum())

    def _spectrum(self, wave: torch.Tensor) -> torch.Tensor:
        """[batch, bins, frames], frame i about the middle of latent i."""
        return torch.stft(F.pad(wave, (512 - HOP // 2, 512 - HOP // 2)), 1024, HOP, window=self.window, center=False, return_complex=True)

    def __call__(self, wave: torch.Tensor) -> torch.Tensor:
        spectrum = self._spectrum(wave)
        envelope = self.project @ (log_mel(spectrum.abs(), self.mel) - self.mean)
        own, correlation = (torch.fft.irfft(power, dim=-2) for power in (torch.fft.rfft(self.window).abs().square()[:, None], spectrum.abs().square()))
        strength, lag = (correlation[:, slice(*self.lags)] / correlation[:, :1].clamp_min(1e-4) / (own[slice(*self.lags)] / own[0])).max(1)
        periodic = ((strength.clamp(0, 1) - 0.4) / 0.6).clamp_min(0)
        pitch = periodic * torch.log2(CONFIG["sampling_rate"] / (lag + self.lags[0]) / 140) * 2
        return torch.cat([envelope, 2 * periodic[:, None], pitch[:, None]], 1)


class Losses:
    """The reconstruction loss between two waves [batch, samples]; louder items of a batch weigh more."""
    sizes = (256, 512, 1024, 2048)

    def __init__(self, rate: int):
        self.mel = mel_filters(1024 // 2 + 1, 64, rate)

    def log_mel(self, magnitude: torch.Tensor) -> torch.Tensor:
        return log_mel(magnitude, self.mel)

    def __call__(self, wave: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        total = 0.0
        for size in self.sizes:
            a, b = magnitudes(wave, size), magnitudes(target, size)
            floor = 3e-3 * size ** 0.5  # the same level of noise at every size
            total = total + 0.3 * (torch.linalg.vector_norm(a - b) / torch.linalg.vector_norm(b)) / len(self.sizes)
            total = total + (torch.log(a + floor) - torch.log(b + floor)).abs().mean() / len(self.sizes)
            if size == 1024:
                total = total + 3 * (self.log_mel(a) - self.log_mel(b)).abs().mean()
        return total


# ---- training

class Trainer:
    """Model, its moving average, optimiser and progress; saved and resumed as one file. The encoder's parameters learn first, then the decoder's."""

    def __init__(self, path: pathlib.Path):
        self.path, self.model, self.ema = path, new(), new().requires_grad_(False)
        self.seconds, self.step = 0.0, 0
        torch._dynamo.config.recompile_limit = 64  # a width and a length each
        for module in self.model.modules():
            if type(module).__name__ in ("MiniMaxH3AudioSnakeBeta", "MiniMaxH3AudioSnake1d"):
                module.forward = torch.compile(module.forward, dynamic=False)  # fused, a step takes four fifths of the time
        self.start("encoder")

    def start(self, part: str) -> None:
        """Goes on with "encoder" or "decoder" alone, from the average."""
        self.part = part
        self.model.load_state_dict(self.ema.state_dict())
        self.model.requires_grad_(False)
        for module in (self.model.encoder, self.model.pre_block, self.model.mean_proj) if part == "encoder" else (self.model.decoder,):
            module.requires_grad_(True)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=LEARNING_RATE, betas=(0.8, 0.99), weight_decay=0.0)
        self.first = self.step

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "ema": self.ema.state_dict(), "step": self.step, "first": self.first, "seconds": self.seconds,
                 "optimiser": self.optimiser.state_dict(), "part": self.part}
        torch.save(state, self.path.with_suffix(".tmp"))
        self.path.with_suffix(".tmp").rename(self.path)

    def resume(self) -> None:
        state = torch.load(self.path, map_location="cpu")
        self.ema.load_state_dict(state["ema"])
        self.start(state["part"])
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.first, self.seconds = state["step"], state["first"], state["seconds"]

    def update(self, loss: torch.Tensor, rate: float) -> float:
        """One optimiser step."""
        rate *= min(1, (self.step - self.first + 1) / 100)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        steps = self.step - self.first
        decay = min(EMA_DECAY, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for average, value in zip(self.ema.parameters(), self.model.parameters()):
                average.lerp_(value, 1 - decay)
        self.step += 1
        return loss.item()


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


def export(model: AutoencoderKLMiniMaxH3Audio, out: pathlib.Path, clips: np.ndarray | None) -> None:
    """Writes the diffusers folder; the latents' statistics are taken over `clips`."""
    if clips is not None:
        mean, std = latent_statistics(model, clips)
        model.register_to_config(latents_mean=mean, latents_std=std)
    model.save_pretrained(out)


def train(budget_minutes: float, resume: bool, out: pathlib.Path) -> dict:
    """Trains for `budget_minutes` in all (earlier runs counted in), then exports the average to `out`. Returns the held-out figures."""
    torch.manual_seed(time.time_ns() % 2 ** 31)
    rng = np.random.default_rng()
    CACHE.mkdir(parents=True, exist_ok=True)
    clips = sound_data.clips(TRAIN_CLIPS, TRAIN_SEED, CACHE)
    held_out = sound_data.clips(HELD_OUT_CLIPS, HELD_OUT_SEED, CACHE)
    as_float = lambda some: torch.as_tensor(some[:, :some.shape[1] // HOP * HOP].astype(np.float32) / 32767)
    losses, trainer = Losses(CONFIG["sampling_rate"]), Trainer(CACHE / "audio_vae.pt")
    features = Features(as_float(clips[:300]), CONFIG["sampling_rate"])
    if resume:
        trainer.resume()
    else:
        initialise(trainer.model, batch(clips, rng))
        trainer.ema.load_state_dict(trainer.model.state_dict())
    log = open(CACHE / "audio_vae.jsonl", "a")
    before, begin, mean_loss = trainer.seconds, time.time(), None
    encoder_seconds, end = 60 * min(ENCODER_MINUTES, budget_minutes / 3), 60 * budget_minutes
    while trainer.seconds < end:
        if trainer.part == "encoder" and trainer.seconds >= encoder_seconds:
            trainer.start("decoder")
            mean_loss = None
        wave, encoding = batch(clips, rng), trainer.part == "encoder"
        progress = trainer.seconds / encoder_seconds if encoding else (trainer.seconds - encoder_seconds) / (end - encoder_seconds)
        rate = LEARNING_RATE * (0.03 + 0.97 * math.cos(min(1, progress) * math.pi / 2) ** 2)
        posterior = trainer.model.encode(wave[:, None]).latent_dist
        if encoding:
            loss = trainer.update(F.mse_loss(posterior.mean, features(wave)), rate)
        else:
            loss = trainer.update(losses(trainer.model.decode(posterior.sample()).sample[:, 0], wave), rate)
        trainer.seconds = before + time.time() - begin
        mean_loss = loss if mean_loss is None else mean_loss + 0.03 * (loss - mean_loss)
        if trainer.step % 100 == 0:
            report = {"part": trainer.part, "step": trainer.step, "minutes": round(trainer.seconds / 60, 2), "loss": round(mean_loss, 4),
                      "seconds_of_sound_per_second": round(STEP_SECONDS * trainer.step / trainer.seconds, 1)}
            if trainer.step % 200 == 0:
                wave = as_float(held_out)
                with torch.no_grad():
                    report["features"] = round(F.mse_loss(trainer.ema.encode(wave[:, None]).latent_dist.mode(), features(wave)).item(), 4)
                report |= {} if encoding else evaluate(trainer.ema, held_out, losses)
                trainer.save()
            log.write(json.dumps(report) + "\n")
            log.flush()
            print(json.dumps(report), flush=True)
    trainer.save()
    export(trainer.ema, out, clips[:400])
    figures = {"step": trainer.step, "final": True} | evaluate(trainer.ema, held_out, losses)
    log.write(json.dumps(figures) + "\n")
    print(json.dumps(figures), flush=True)
    return figures


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--budget", type=float, default=28, help="minutes in all")
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--resume", action="store_true")
    arguments.add_argument("--init", action="store_true", help="export fresh weights only")
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    if options.init:
        export(new(), options.out, None)
    else:
        train(options.budget, options.resume, options.out)
