"""What is heard in a shot: whether steps and thumps come when they should, and whether its line is understood and sounds like the teacher.

Onsets are found by matching the rise of energy with the score's events over a range of lags; STOI is that of Taal, Hendriks, Heusdens and Jensen, "An Algorithm
for Intelligibility Prediction of Time-Frequency Weighted Noisy Speech" (2011); the pitch is read from the autocorrelation.
"""
import functools
import math
import re
import tempfile

import numpy as np
from scipy import signal

import grammar_words
import sound
import speech
from sound_data import WORDS
from training import WORLD

RATE = sound.SAMPLE_RATE
HOP_MS = 5  # of the envelope of onsets
MAX_LAG_MS = 160  # less than half of a walk's step
FOLEY = {"step", "thump"}


# ---- in step

def events(plan: dict, index: int) -> list[float]:
    """Starts in seconds of a shot's steps and thumps."""
    return [start for token, start in speech.score(WORLD, plan, index) if token[6:-2] in FOLEY and token.startswith("<|snd:")]


def onsets(wave: np.ndarray) -> np.ndarray:
    """Rise of the log energy below 4 kHz, one value a HOP_MS: what begins stands out, what lasts does not."""
    hop = RATE * HOP_MS // 1000
    _, _, spectrum = signal.stft(np.pad(wave, 2 * hop, mode="reflect"), RATE, nperseg=4 * hop, noverlap=3 * hop, boundary=None)
    power = np.log(np.abs(spectrum[:len(spectrum) // 2]) ** 2 + 1e-7)
    rise = np.maximum(np.diff(power, axis=1, prepend=power[:, :1]), 0).mean(0)
    return np.convolve(rise, np.hanning(7) / 3, "same")


def lag_ms(wave: np.ndarray, starts: list[float]) -> float:
    """By how much the sounds of `wave` come after `starts`, in ms: the lag at which the onsets agree with them best."""
    rise, wanted = onsets(wave), np.zeros(len(wave) * 1000 // (RATE * HOP_MS) + 1)
    for start in starts:
        wanted[min(len(wanted) - 1, round(start * 1000 / HOP_MS))] = 1
    wanted = np.convolve(wanted, np.hanning(9), "same")[:len(rise)]
    lags = range(-MAX_LAG_MS // HOP_MS, MAX_LAG_MS // HOP_MS + 1)
    padded = np.pad(rise, MAX_LAG_MS // HOP_MS)
    agree = [float(padded[MAX_LAG_MS // HOP_MS + lag:][:len(wanted)] @ wanted[:len(padded[MAX_LAG_MS // HOP_MS + lag:])]) for lag in lags]
    return float(lags[int(np.argmax(agree))] * HOP_MS)


def shifted(wave: np.ndarray, ms: float) -> np.ndarray:
    return np.roll(wave, round(ms * RATE / 1000))


# ---- speech

def words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def word_errors(wanted: list[str], heard: list[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(wanted, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


@functools.cache
def known_words() -> list[str]:
    """The words that lines are made of and that pocketsphinx knows how to say."""
    from pocketsphinx import Decoder
    dictionary = Decoder(loglevel="FATAL")
    return sorted({w for text in [*WORDS, *grammar_words.SPEECHES] for w in words(text) if dictionary.lookup_word(w)})


@functools.cache
def decoder():
    """pocketsphinx with these words alone, each as likely as another: left to all of English it understands hardly a line of even the teacher's."""
    from pocketsphinx import Decoder
    known = known_words()
    likely = math.log10(1 / (len(known) + 1))
    with tempfile.NamedTemporaryFile("w", suffix=".lm") as model:  # ARPA's format: one word at a time
        model.write(f"\\data\\\nngram 1={len(known) + 2}\n\n\\1-grams:\n-99 <s>\n{likely:.4f} </s>\n" + "".join(f"{likely:.4f} {w}\n" for w in known) + "\n\\end\\\n")
        model.flush()
        return Decoder(lm=model.name, loglevel="FATAL")


def heard_errors(wave: np.ndarray, text: str) -> int:
    """Words that pocketsphinx gets wrong, of a wave with some silence put about it."""
    quiet = np.random.default_rng(0).normal(0, 1e-4, 3200)
    peak = np.abs(wave).max()
    padded = np.concatenate([quiet, wave * (0.5 / peak if peak > 1e-4 else 1), quiet])
    listening = decoder()
    listening.start_utt()
    listening.process_raw((np.clip(padded, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
    listening.end_utt()
    return word_errors(words(text), words(listening.hyp().hypstr if listening.hyp() else ""))


def teacher(plan: dict, index: int) -> tuple[np.ndarray, int]:
    """(the teacher's voice saying a shot's line, its first sample in the shot)."""
    shot = plan["shots"][index]
    line = shot["dialogue"][0]
    voice = next(c["voice"]["voice_id"] for c in plan["characters"] if c["id"] == line["speaker"])
    length = round((line["end_ms"] - line["start_ms"]) * RATE / 1000)
    return sound.speak(line["text"], speech.voice_of(WORLD, voice), length), round((line["start_ms"] - shot["start_ms"]) * RATE / 1000)


def third_octaves(rate: int = 10000, size: int = 512, bands: int = 15, lowest: float = 150.0) -> np.ndarray:
    """0/1 matrix [bands, size / 2 + 1] of the one-third octave bands."""
    bins = np.arange(size // 2 + 1) * rate / size
    centres = lowest * 2.0 ** (np.arange(bands) / 3)
    low, high = (np.abs(bins[None] - (centres * 2.0 ** (k / 6))[:, None]).argmin(1) for k in (-1, 1))
    return np.array([(np.arange(len(bins)) >= a) & (np.arange(len(bins)) < b) for a, b in zip(low, high)], np.float64)


def stoi(clean: np.ndarray, other: np.ndarray) -> float:
    """Short-time objective intelligibility of `other` against the aligned `clean`, both at RATE; about 0 for what has nothing in common, 1 for the same."""
    n = min(len(clean), len(other))
    x, y = (signal.resample_poly(w[:n], 5, 8) for w in (clean, other))  # 10 kHz
    window = np.hanning(258)[1:-1]
    frames = lambda w: np.lib.stride_tricks.sliding_window_view(w, 256)[::128] * window
    x, y = frames(x), frames(y)
    energy = 20 * np.log10(np.linalg.norm(x, axis=1) + 1e-12)
    loud = energy > energy.max() - 40  # silent frames are left out
    bands = third_octaves()
    x, y = (np.sqrt(bands @ (np.abs(np.fft.rfft(w[loud], 512)) ** 2).T) for w in (x, y))  # [15, frames]
    span = min(30, x.shape[1])  # 384 ms
    x, y = (np.lib.stride_tricks.sliding_window_view(w, span, axis=1) for w in (x, y))  # [15, segments, span]
    scaled = y * np.linalg.norm(x, axis=2, keepdims=True) / (np.linalg.norm(y, axis=2, keepdims=True) + 1e-12)
    y = np.minimum(scaled, x * (1 + 10 ** (15 / 20)))  # clipped at -15 dB of signal to distortion
    x, y = (w - w.mean(2, keepdims=True) for w in (x, y))
    return float(((x * y).sum(2) / (np.linalg.norm(x, axis=2) * np.linalg.norm(y, axis=2) + 1e-12)).mean())


def pitch(wave: np.ndarray) -> np.ndarray:
    """log2 of the fundamental in each 10 ms, NaN where nothing periodic is heard: the highest peak of the normalised autocorrelation, 70 to 300 Hz."""
    size, low, high = 640, RATE // 300, RATE // 70
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(wave, size // 2), size)[::RATE // 100]
    frames = (frames - frames.mean(1, keepdims=True)) * np.hanning(size)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, 2 * size)) ** 2)[:, :size]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 2 * size)) ** 2)[:size]
    correlation = correlation / (correlation[:, :1] + 1e-9) / (window / window[0] + 1e-3)
    best = low + correlation[:, low:high].argmax(1)
    periodic = (correlation[np.arange(len(best)), best] > 0.5) & (np.sqrt((frames ** 2).mean(1)) > 0.003)
    return np.where(periodic, np.log2(RATE / best), np.nan)


def pitch_error(clean: np.ndarray, other: np.ndarray) -> float:
    """Median difference of the fundamentals in semitones where both have one; NaN where they never do."""
    a, b = pitch(clean), pitch(other)
    n = min(len(a), len(b))
    both = np.isfinite(a[:n]) & np.isfinite(b[:n])
    return float(12 * np.median(np.abs(a[:n] - b[:n])[both])) if both.any() else float("nan")


def said(wave: np.ndarray, plan: dict, index: int) -> dict:
    """What becomes of a shot's line in `wave`, the shot's samples: {wrong, words, stoi, semitones}."""
    clean, first = teacher(plan, index)
    part = wave[first:first + len(clean)]
    line = plan["shots"][index]["dialogue"][0]["text"]
    around = wave[max(0, first - 1600):first + len(clean) + 1600]
    return {"wrong": heard_errors(around, line), "words": len(words(line)), "stoi": stoi(clean, part), "semitones": pitch_error(clean, part)}
