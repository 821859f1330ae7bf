"""The audio autoencoder: a small AutoencoderKLMiniMaxH3Audio (mono, 16 kHz, 40 latents per second) trained on rendered sound.

Its latents are computed, not learnt (`Features`): principal components of log mel frames, periodicity and pitch, which describe what is heard and can be
predicted by a transformer. The decoder learns to synthesise from the exact features, which are also the transformer's targets; the encoder learns to produce
them, so that the class is complete. A small autoencoder trained end to end spends its latents on the phases of the lowest harmonics, which cannot be
predicted, and a learnt encoder alone accounts for two thirds of the words that are lost. The decoder's loss is log mel plus multi-resolution STFT magnitudes
(Yamamoto et al., 2020).
"""
import math
import pathlib
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLMiniMaxH3Audio

from common.training import CACHE, DEVICE, EMA, SHARDS, Budget, Log, save
from prompts import grammar_shots
from storybook import renderer

warnings.filterwarnings("ignore", category=FutureWarning)

CONFIG = dict(encoder_dim=12, encoder_rates=(4, 4, 5, 5), latent_dim=128, latent_channels=32, num_attention_heads=4, decoder_dim=384,
              decoder_rates=(5, 5, 4, 4), decoder_kernel_sizes=(9, 9, 8, 8), resblock_kernel_sizes=(3, 7),
              resblock_dilation_sizes=((1,), (3,)), sampling_rate=16000)
HOP = math.prod(CONFIG["encoder_rates"])
BATCH, CROP = (24, 64) if DEVICE == "cuda" else (2, 48)  # clips per step; latents decoded of each
LEARNING_RATE, WARMUP_STEPS = 7e-4, 100  # peak; cosine decay
EMA_DECAY, RESUMED_EMA_STEPS = 0.999, 2000  # averages about the last 1000 steps; a resumed EMA is past most of its warm-up (EMA.update)
GAINS = (0.7, 1.2)  # random volume of training clips
EVALUATED_CLIPS, LOG_SECONDS = 24, 30
LATENT_NOISE = 0.1  # largest noise on the decoder's input, in latent deviations: the transformer's latents are not exact
FIT_CLIPS = 300  # clips that the features' basis is fitted on


def build(seed: int = 0) -> AutoencoderKLMiniMaxH3Audio:
    """A model with fresh weights and unit latent statistics."""
    torch.manual_seed(seed)
    return AutoencoderKLMiniMaxH3Audio(**CONFIG, latents_mean=[0.0] * CONFIG["latent_channels"], latents_std=[1.0] * CONFIG["latent_channels"])


@torch.no_grad()
def scale_weights(model: AutoencoderKLMiniMaxH3Audio, wave: torch.Tensor) -> None:
    """Scales fresh weights so that `wave` [batch, samples] passes at unit deviation (Mishkin and Matas, "All you need is a good init", 2016). As built, the
    signal fades by 20 dB on its way in and out, and training stalls for a long time."""
    def target(name: str) -> float:
        """The standard deviation that the output of a layer should have."""
        if name == "decoder.conv_post":
            return wave.std().item()
        inner = name.endswith(".block.3") or ".convs2." in name  # last convolution of a residual branch
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
    """Samples [batch, num_latents * hop] of normalised latents [batch, channels, num_latents]."""
    mean, std = (torch.tensor(v).view(1, -1, 1) for v in (model.config.latents_mean, model.config.latents_std))
    return model.decode(latents * std + mean).sample[:, 0]


# ---- losses

def mel_filters(bins: int, bands: int, rate: int) -> torch.Tensor:
    """Triangular filters [bands, bins], evenly spaced on the mel scale (HTK) from 0 to rate / 2."""
    edges = 700 * (10 ** (torch.linspace(0, 2595 * math.log10(1 + rate / 1400), bands + 2) / 2595) - 1)
    frequency = torch.linspace(0, rate / 2, bins)
    rise = (frequency - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - frequency) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0)


def stft_magnitudes(wave: torch.Tensor, size: int) -> torch.Tensor:
    """STFT magnitudes [batch, bins, frames] of `wave` [batch, samples], hop size / 4."""
    spectrum = torch.stft(wave, size, size // 4, window=torch.hann_window(size, device=wave.device), return_complex=True)
    return torch.sqrt(spectrum.real ** 2 + spectrum.imag ** 2 + 1e-7)


def log_mel(magnitude: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
    """Natural log of mel magnitudes [batch, bands, frames] of a 1024-point STFT."""
    return torch.log(mel @ magnitude + 0.03)  # the floor is some 50 dB below speech


class Features:
    """The exact latents: [batch, latent_channels, samples / HOP] of `wave` [batch, samples], each channel of about unit deviation. Channels are log mel
    components, periodicity (0 to 1, scaled), and pitch in octaves where the sound is periodic. The basis is fitted once and kept in FILE."""
    components, lags = CONFIG["latent_channels"] - 2, (40, 267)  # pitches of 60 to 400 Hz at 16 kHz
    FILE = CACHE / "audio_features.pt"

    def __init__(self, clips: torch.Tensor, rate: int):
        self.mel, self.window = mel_filters(1024 // 2 + 1, 64, rate), torch.hann_window(1024)
        frames = log_mel(self._spectrum(clips).abs(), self.mel).permute(1, 0, 2).flatten(1)
        self.mean = frames.mean(1, keepdim=True)
        basis, deviations, _ = torch.linalg.svd((frames - self.mean) / frames.shape[1] ** 0.5, full_matrices=False)
        self.project = (basis[:, :self.components] / deviations[:self.components]).T
        self.share = deviations[:self.components].square() / deviations.square().sum()  # share of the log mel variance, per component
        values = self(clips).transpose(0, 1).flatten(1)
        self.statistics = values.mean(1), values.std(1)

    def save(self) -> None:
        """Writes the basis to FILE."""
        torch.save(vars(self), self.FILE)

    @classmethod
    def load(cls, device: str = "cpu") -> "Features":
        """The fitted features, on `device`."""
        features = cls.__new__(cls)
        vars(features).update({k: tuple(x.to(device) for x in v) if isinstance(v, tuple) else v.to(device) for k, v in torch.load(cls.FILE).items()})
        return features

    def latents(self, wave: torch.Tensor, count: int) -> torch.Tensor:
        """Normalised features [batch, latent_channels, count] of `wave` [batch, samples], cut or padded to count hops."""
        wave = F.pad(wave[:, :count * HOP], (0, max(0, count * HOP - wave.shape[1])))
        mean, std = self.statistics
        return (self(wave) - mean[:, None]) / std[:, None]

    def _spectrum(self, wave: torch.Tensor) -> torch.Tensor:
        """Complex STFT [batch, bins, frames]; frame i is centred on latent i."""
        return torch.stft(F.pad(wave, (512 - HOP // 2, 512 - HOP // 2)), 1024, HOP, window=self.window, center=False, return_complex=True)

    def __call__(self, wave: torch.Tensor) -> torch.Tensor:
        """Features of `wave` [batch, samples], not normalised: [batch, latent_channels, samples / HOP]."""
        spectrum = self._spectrum(wave)
        envelope = self.project @ (log_mel(spectrum.abs(), self.mel) - self.mean)
        of_window, correlation = (torch.fft.irfft(power, dim=-2) for power in (torch.fft.rfft(self.window).abs().square()[:, None], spectrum.abs().square()))
        strength, lag = (correlation[:, slice(*self.lags)] / correlation[:, :1].clamp_min(1e-4) / (of_window[slice(*self.lags)] / of_window[0])).max(1)
        periodic = ((strength.clamp(0, 1) - 0.4) / 0.6).clamp_min(0)
        pitch = periodic * torch.log2(CONFIG["sampling_rate"] / (lag + self.lags[0]) / 140) * 2
        return torch.cat([envelope, 2 * periodic[:, None], pitch[:, None]], 1)


class Losses:
    """The reconstruction loss between two waves [batch, samples]. Louder items of a batch weigh more."""
    sizes = (256, 512, 1024, 2048)

    def __init__(self, rate: int, device: str = "cpu"):
        self.mel = mel_filters(1024 // 2 + 1, 64, rate).to(device)

    def log_mel(self, magnitude: torch.Tensor) -> torch.Tensor:
        """`log_mel` with this loss's filters."""
        return log_mel(magnitude, self.mel)

    def __call__(self, wave: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Spectral convergence and log magnitude distance at each STFT size, plus the log mel distance at 1024."""
        total = 0.0
        for size in self.sizes:
            a, b = stft_magnitudes(wave, size), stft_magnitudes(target, size)
            floor = 3e-3 * size ** 0.5  # same noise level at every size
            total = total + 0.3 * (torch.linalg.vector_norm(a - b) / torch.linalg.vector_norm(b)) / len(self.sizes)
            total = total + (torch.log(a + floor) - torch.log(b + floor)).abs().mean() / len(self.sizes)
            if size == 1024:
                total = total + 3 * (self.log_mel(a) - self.log_mel(b)).abs().mean()
        return total


# ---- training

def fit_features() -> None:
    """Fits the features' basis on drawn clips unless it exists. It must never be refitted: the sign of a singular vector is arbitrary, and a model trained on
    one basis cannot use another."""
    if Features.FILE.exists():
        return
    waves, seed = [], 10**8
    while len(waves) < FIT_CLIPS:
        _, plan = grammar_shots.sample_shots(np.random.default_rng([6, seed]))
        waves += [renderer.render_sound(plan, i, seed) for i in range(len(plan["shots"]))]
        seed += 1
    features = Features(whole_hops(torch.from_numpy(np.stack(waves))), CONFIG["sampling_rate"])
    features.save()
    print(f"{features.components} components keep {float(features.share.sum()):.3f} of the log mel variance")


def whole_hops(waves: torch.Tensor) -> torch.Tensor:
    """Waves [clips, samples] cut to whole hops."""
    return waves[:, :waves.shape[1] // HOP * HOP]


class Waves:
    """The sounds of the shards that latents.py writes: float [clips, samples] in memory of DEVICE."""

    def __init__(self, kind: str):
        self.kind, self.known, self.waves = kind, set(), torch.zeros(0)
        self.refresh()

    def refresh(self, most: int = 60) -> None:
        """Loads at most `most` shards that appeared since the last call."""
        new = [p for p in sorted(SHARDS.glob(f"{self.kind}_*.pt")) if p.name not in self.known][:most]
        self.known |= {p.name for p in new}
        found = [shot["wave"] for p in new for film in torch.load(p, weights_only=False) for shot in film["shots"]]
        if found:
            fresh = whole_hops(torch.from_numpy(np.stack(found)).to(DEVICE).float() / 32767)
            self.waves = torch.cat([self.waves.to(DEVICE), fresh]) if len(self.waves) else fresh


@torch.no_grad()
def evaluate(model: AutoencoderKLMiniMaxH3Audio, features: Features, waves: torch.Tensor, losses: Losses) -> dict:
    """Figures on held-out waves: mel distance (mean absolute difference of natural log mel) and level of the decoder's output from exact features, and the
    encoder's mean squared error."""
    exact = features(waves)
    made = model.decode(exact).sample[:, 0]
    mel = (losses.log_mel(stft_magnitudes(made, 1024)) - losses.log_mel(stft_magnitudes(waves, 1024))).abs().mean()
    return {"mel": float(mel), "level_db": 20 * math.log10(made.std() / waves.std()),
            "encoder": float(F.mse_loss(model.encode(waves[:, None]).latent_dist.mode(), exact))}


def train(budget_minutes: float, resume: pathlib.Path | None, out: pathlib.Path) -> pathlib.Path:
    """Trains encoder and decoder side by side until the budget is spent, then exports the average to `out` (a diffusers folder). Returns the checkpoint's
    path."""
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    features, losses = Features.load(DEVICE), Losses(CONFIG["sampling_rate"], DEVICE)
    waves, held_out, rng = Waves("shots"), Waves("held_out").waves[:EVALUATED_CLIPS], np.random.default_rng([8, state.get("step", 0)])
    model = build()
    if state:
        model.load_state_dict(state["model"])
    else:
        scale_weights(model, waves.waves[:8, :32 * HOP].cpu())
    model.to(DEVICE)
    average = EMA(model, EMA_DECAY)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.8, 0.99), weight_decay=0.0)
    if state:
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, RESUMED_EMA_STEPS
        if "optimiser" in state:  # absent after `unpack`
            optimiser.load_state_dict(state["optimiser"])
    step = first = state.get("step", 0)
    log, budget, checked, seen = Log("audio_vae"), Budget(budget_minutes, WARMUP_STEPS), 0.0, []
    mean_noise = features(waves.waves[:64]).std((0, 2))[None, :, None] * LATENT_NOISE

    def write():
        save(CACHE / "audio_vae.pt", model=model.state_dict(), average={**model.state_dict(), **average.values}, optimiser=optimiser.state_dict(), step=step)

    while not budget.spent():
        wave = waves.waves[torch.from_numpy(rng.integers(0, len(waves.waves), BATCH)).to(DEVICE)] * float(rng.uniform(*GAINS))
        with torch.no_grad():
            exact = features(wave)
        at = int(rng.integers(0, exact.shape[2] - CROP + 1))
        cut, target = exact[..., at:at + CROP], wave[:, at * HOP:(at + CROP) * HOP]
        made = model.decode(cut + mean_noise * float(rng.uniform()) * torch.randn_like(cut)).sample[:, 0]
        loss = losses(made, target)
        encoder_loss = F.mse_loss(model.encode(wave[:, None]).latent_dist.mean, exact)
        (loss + encoder_loss).backward()
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * budget.cosine_lr_factor(step - first)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        average.update(model)
        seen.append((loss.detach(), encoder_loss.detach()))
        step += 1
        if budget.elapsed() - checked > LOG_SECONDS or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            figures = evaluate(model, features, held_out, losses)
            average.swap(model)
            log(step=step, minutes=budget.elapsed() / 60, loss=float(torch.stack([a for a, _ in seen]).mean()),
                encoder_loss=float(torch.stack([b for _, b in seen]).mean()),
                clips=len(waves.waves), **figures)
            seen = []
            write()
            waves.refresh()
    write()
    average.swap(model)
    export(model.cpu(), out, Features.load())
    return CACHE / "audio_vae.pt"


def export(model: AutoencoderKLMiniMaxH3Audio, out: pathlib.Path, features: Features) -> None:
    """Writes the diffusers folder, with the features' statistics as the latents'."""
    mean, std = ([round(v, 6) for v in s.tolist()] for s in features.statistics)
    model.register_to_config(latents_mean=mean, latents_std=std)
    model.save_pretrained(out)
