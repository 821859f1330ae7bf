"""Signal processing for the world's sounds (filtered noise, ramps, sums) and the teacher's voice at a given length and level. float arrays at SAMPLE_RATE,
mono.
"""

import functools

import numpy as np
from scipy import signal

from world import speech

SAMPLE_RATE = 16000
SPEECH_RMS, SPEECH_PEAK = 0.1, 0.8  # relative to full scale; RMS of speech where it is not silent


@functools.cache
def band(low: float, high: float) -> np.ndarray:
    """Second-order sections of a band-pass between two frequencies in Hz."""
    return signal.butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")


@functools.cache
def low_pass(high: float) -> np.ndarray:
    """Second-order sections of a low-pass below `high` Hz."""
    return signal.butter(2, high, "lowpass", fs=SAMPLE_RATE, output="sos")


def noise(rng: np.random.Generator, length: int, low: float, high: float) -> np.ndarray:
    """`length` samples of band-limited noise (Hz) with RMS 1."""
    return unit_rms(signal.sosfilt(band(low, high), rng.standard_normal(length)))


def unit_rms(wave: np.ndarray) -> np.ndarray:
    """`wave` scaled to RMS 1."""
    return wave / (np.sqrt(np.mean(wave ** 2)) + 1e-9)


def clock(seconds: float) -> np.ndarray:
    """The time in seconds of each sample."""
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def add(wave: np.ndarray, start: int, piece: np.ndarray) -> None:
    """Adds `piece` into `wave` from sample `start`, cut at the end of `wave`."""
    piece = piece[:max(0, len(wave) - start)]
    wave[start:start + len(piece)] += piece


def fade_ends(wave: np.ndarray, seconds: float) -> np.ndarray:
    """`wave` with linear ramps of this length at both ends."""
    n = min(round(seconds * SAMPLE_RATE), len(wave) // 2)
    ramp = np.ones(len(wave))
    if n:
        ramp[:n], ramp[-n:] = np.linspace(0, 1, n), np.linspace(1, 0, n)
    return wave * ramp


# ---- speech


def speak(text: str, voice: dict, length: int) -> np.ndarray:
    """The teacher's voice without outer pauses, stretched to `length` samples and levelled; empty if nothing is spoken. voice: an entry of world.json's
    `voices`."""
    phones, wave, rate = speech.synthesise(text, voice["flite"])
    spoken = [p for p in phones if p.name != "pau"]
    if not spoken or length <= 0:
        return np.zeros(0)
    if rate != SAMPLE_RATE:
        wave = signal.resample_poly(wave, SAMPLE_RATE, rate)
    return finish(stretch(wave[round(spoken[0].begin * SAMPLE_RATE):round(spoken[-1].end * SAMPLE_RATE)], length))


def finish(wave: np.ndarray) -> np.ndarray:
    """Band-limits and levels speech, and softens its ends."""
    return fade_ends(level(signal.sosfilt(band(60, 7400), wave)), 0.005)


def stretch(wave: np.ndarray, length: int, frame: int = 480, search: int = 100) -> np.ndarray:
    """Time-stretches `wave` to `length` samples at the same pitch: waveform-similarity overlap-add (Verhelst and Roelands, 1993). frame, search: samples of a
    piece, and how far its start may move."""
    if abs(len(wave) - length) < SAMPLE_RATE // 200:
        return np.pad(wave, (0, max(0, length - len(wave))))[:length]
    hop, window = frame // 2, np.hanning(frame + 1)[:frame]
    source = np.pad(wave, (frame, 2 * frame + search))
    out, gain = np.zeros(length + 2 * frame), np.full(length + 2 * frame, 1e-8)
    follow = None  # where the previous piece continues
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


def level(wave: np.ndarray) -> np.ndarray:
    """Speech at SPEECH_RMS where it is not silent (10 ms blocks within 30 dB of the loudest), peaks soft-clipped below SPEECH_PEAK."""
    blocks = np.sqrt(np.mean(wave[:len(wave) // 160 * 160].reshape(-1, 160) ** 2, axis=1))
    active = blocks[blocks > blocks.max() * 0.03] if len(blocks) else blocks
    if not len(active):
        return wave
    wave = wave * (SPEECH_RMS / np.sqrt(np.mean(active ** 2)))
    return SPEECH_PEAK * np.tanh(wave / SPEECH_PEAK)
