"""The sound of a shot, made in step with its plan: the teacher's voice, foley at the score's times, and the place's ambience.

All of it is synthesised here (numpy and short filters) or spoken by flite; it is what the audio parts of the model learn from.
Levels: speech near -20 LUFS, foley some 8 dB below it, ambience some 20 dB below it.
"""
import functools

import numpy as np
from scipy import signal

import editions
import speech

SAMPLE_RATE = 16000
SPEECH_RMS, SPEECH_PEAK, AMBIENCE_RMS = 0.1, 0.8, 0.009  # of full scale; RMS of speech where it is not silent


def default_world() -> dict:
    """The edition that is trained."""
    return editions.world()


def render_sound(plan: dict, shot_index: int, seed: int, world: dict | None = None) -> np.ndarray:
    """Samples of one shot: float32 [round(shot_frames / fps * SAMPLE_RATE)], mono, within ±1. The same arguments give the same samples."""
    if editions.EDITION != "nano":
        from storybook import facts, mixing
        return mixing.render_sound(facts.staged(plan, shot_index), 0, seed)
    world = world or default_world()
    rng = np.random.default_rng([seed, shot_index])
    shot = plan["shots"][shot_index]
    length = round(world["shot_frames"][0] / world["fps"] * SAMPLE_RATE)
    wave = AMBIENCE_RMS * _unit_rms(AMBIENCES[shot["ambience"]](rng, length)) * rng.uniform(0.7, 1.2)
    for token, start in speech.score(world, plan, shot_index):
        if token.startswith("<|snd:"):
            _add(wave, round(start * SAMPLE_RATE), FOLEY[token[6:-2]](rng))
    for line in shot["dialogue"]:
        voice_id = next(c["voice"]["voice_id"] for c in plan["characters"] if c["id"] == line["speaker"])
        start = round((line["start_ms"] - shot["start_ms"]) * SAMPLE_RATE / 1000)
        spoken = speak(line["text"], speech.voice_of(world, voice_id), round((line["end_ms"] - line["start_ms"]) * SAMPLE_RATE / 1000))
        _add(wave, start, spoken)
    return np.clip(wave, -1, 1).astype(np.float32)


# ---- speech

def speak(text: str, voice: dict, length: int) -> np.ndarray:
    """The teacher's voice without outer pauses, stretched to `length` samples and levelled."""
    phones, wave, rate = speech.synthesise(text, voice["flite"])
    spoken = [p for p in phones if p.name != "pau"]
    if not spoken or length <= 0:
        return np.zeros(0)
    if rate != SAMPLE_RATE:
        wave = signal.resample_poly(wave, SAMPLE_RATE, rate)
    outer_begin = phones[phones.index(spoken[0])].begin
    wave = stretch(wave[round(outer_begin * SAMPLE_RATE):round(spoken[-1].end * SAMPLE_RATE)], length)
    wave = signal.sosfilt(_band(60, 7400), wave)
    return _fade(_level_speech(wave), 0.005)


def stretch(wave: np.ndarray, length: int, frame: int = 480, search: int = 100) -> np.ndarray:
    """`wave` resampled in time to `length` samples at the same pitch: waveform-similarity overlap-add (Verhelst and Roelands, 1993)."""
    if abs(len(wave) - length) < SAMPLE_RATE // 200:
        return np.pad(wave, (0, max(0, length - len(wave))))[:length]
    hop, window = frame // 2, np.hanning(frame + 1)[:frame]
    source = np.pad(wave, (frame, 2 * frame + search))
    out, gain = np.zeros(length + 2 * frame), np.full(length + 2 * frame, 1e-8)
    follow = None  # where the previous piece would go on
    for at in range(0, length + frame, hop):
        centre = min(frame + round((at - hop) * len(wave) / length), len(source) - frame - search)
        start = max(0, centre - search)
        if follow is not None:
            follow = min(follow, len(source) - frame)
            lags = np.lib.stride_tricks.sliding_window_view(source[start:centre + search + frame], frame)
            target = source[follow:follow + frame]
            start += int(np.argmax(lags @ target / (np.linalg.norm(lags, axis=1) + 1e-6)))
        out[at:at + frame] += window * source[start:start + frame]
        gain[at:at + frame] += window
        follow = start + hop
    return (out / gain)[hop:hop + length]


def _level_speech(wave: np.ndarray) -> np.ndarray:
    """Speech at SPEECH_RMS where it sounds (10 ms blocks within 30 dB of the loudest), its peaks bent below SPEECH_PEAK."""
    blocks = np.sqrt(np.mean(wave[:len(wave) // 160 * 160].reshape(-1, 160) ** 2, axis=1))
    active = blocks[blocks > blocks.max() * 0.03] if len(blocks) else blocks
    if not len(active):
        return wave
    wave = wave * (SPEECH_RMS / np.sqrt(np.mean(active ** 2)))
    return SPEECH_PEAK * np.tanh(wave / SPEECH_PEAK)


# ---- foley: each returns one event

def _step(rng) -> np.ndarray:
    t = _time(0.09)
    body = np.sin(2 * np.pi * (rng.uniform(105, 125) - 350 * t) * t) * np.exp(-t / 0.02)
    scuff = _noise(rng, len(t), 500, 3000) * np.exp(-t / 0.012)
    return _fade(0.16 * body + 0.10 * scuff, 0.001)


def _thump(rng) -> np.ndarray:
    t = _time(0.28)
    body = np.sin(2 * np.pi * (48 * t + rng.uniform(2.6, 3.4) * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.07)
    return _fade(0.32 * body + 0.12 * _noise(rng, len(t), 60, 900) * np.exp(-t / 0.02), 0.001)


def _whoosh(rng) -> np.ndarray:
    t = _time(0.4)
    place = np.sin(np.pi * t / t[-1])  # the band rises and falls with the motion
    low, high = _noise(rng, len(t), 250, 900), _noise(rng, len(t), 900, 2600)
    return 0.09 * place ** 2 * ((1 - place) * low + place * high)


# ---- ambience: each returns `length` samples at any level

def _birds(rng, length: int) -> np.ndarray:
    wave = 0.06 * _noise(rng, length, 300, 1200)
    for _ in range(rng.integers(3, 6)):
        start, base = rng.integers(0, length), rng.uniform(2400, 4200)
        for _ in range(rng.integers(2, 5)):
            t = _time(rng.uniform(0.05, 0.11))
            sweep = base * t + rng.uniform(-3000, 5000) * t * t
            _add(wave, start, np.sin(2 * np.pi * sweep) * np.hanning(len(t)) * rng.uniform(0.4, 1))
            start += int(len(t) * rng.uniform(1.1, 1.6))
    return wave


def _waves(rng, length: int) -> np.ndarray:
    t = np.arange(length) / SAMPLE_RATE
    swell = 0.35 + 0.65 * (0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.3, 0.5) * t + rng.random()))) ** 2
    return swell * _noise(rng, length, 150, 3500) + 0.4 * _noise(rng, length, 60, 400)


def _wind(rng, length: int) -> np.ndarray:
    t = np.arange(length) / SAMPLE_RATE
    gust = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.25, 0.6) * t + rng.random()))
    return gust * _noise(rng, length, 400, 800) + (1.3 - gust) * _noise(rng, length, 150, 400)


def _traffic(rng, length: int) -> np.ndarray:
    t = np.arange(length) / SAMPLE_RATE
    engine = signal.sawtooth(2 * np.pi * (rng.uniform(70, 95) * t + rng.uniform(-6, 6) * t * t))
    passing = np.exp(-((t - rng.uniform(0, t[-1])) / 0.5) ** 2)
    return _noise(rng, length, 60, 350) + passing * (0.5 * signal.sosfilt(_band(60, 600), engine) + 0.4 * _noise(rng, length, 500, 2000))


def _hum(rng, length: int) -> np.ndarray:
    t, base = np.arange(length) / SAMPLE_RATE, rng.uniform(88, 100)
    tones = sum(np.sin(2 * np.pi * (base * k * t + rng.random())) / k for k in (1, 2, 3, 5))
    return tones * (1 + 0.3 * np.sin(2 * np.pi * 0.7 * t)) + 0.2 * _noise(rng, length, 100, 800)


def _crickets(rng, length: int) -> np.ndarray:
    t = np.arange(length) / SAMPLE_RATE
    wave = 0.05 * _noise(rng, length, 200, 900)
    for _ in range(2):
        pitch, rate = rng.uniform(3900, 4700), rng.uniform(2.2, 3.2)
        pulse = np.clip(np.sin(2 * np.pi * rng.uniform(26, 32) * t), 0, 1)
        group = (np.mod(rate * t + rng.random(), 1) < 0.55).astype(float)
        wave += np.sin(2 * np.pi * pitch * t) * pulse * signal.sosfilt(_low(60), group)
    return wave


FOLEY = {"step": _step, "thump": _thump, "whoosh": _whoosh}
AMBIENCES = {"birds": _birds, "waves": _waves, "wind": _wind, "traffic": _traffic, "hum": _hum, "crickets": _crickets}


# ---- small tools

@functools.lru_cache(maxsize=None)
def _band(low: float, high: float) -> np.ndarray:
    return signal.butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")


@functools.lru_cache(maxsize=None)
def _low(high: float) -> np.ndarray:
    return signal.butter(2, high, "lowpass", fs=SAMPLE_RATE, output="sos")


def _noise(rng, length: int, low: float, high: float) -> np.ndarray:
    """Noise between two frequencies, of RMS one."""
    return _unit_rms(signal.sosfilt(_band(low, high), rng.standard_normal(length)))


def _unit_rms(wave: np.ndarray) -> np.ndarray:
    return wave / (np.sqrt(np.mean(wave ** 2)) + 1e-9)


def _time(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _fade(wave: np.ndarray, seconds: float) -> np.ndarray:
    """`wave` with linear ramps of this length at both ends."""
    n = min(round(seconds * SAMPLE_RATE), len(wave) // 2)
    ramp = np.ones(len(wave))
    if n:
        ramp[:n], ramp[-n:] = np.linspace(0, 1, n), np.linspace(1, 0, n)
    return wave * ramp


def _add(wave: np.ndarray, start: int, piece: np.ndarray) -> None:
    """Adds `piece` into `wave` from sample `start`; what reaches over the end is dropped."""
    piece = piece[:max(0, len(wave) - start)]
    wave[start:start + len(piece)] += piece
