"""Reports what is heard in a film: loudness, a spectrogram, and what a speech recogniser understands.

    python tools/train/run.py listen FILM.mp4 [--png spectrogram.png] [--expect "hello moon"]

Uses Whisper base if it is installed (requirements-judge.txt). With --expect it also recognises the teacher's voice (flite) saying these words.
"""
import argparse
import pathlib
import re
import subprocess

import numpy as np

from judge import judge_sound
from world import acoustics, editions, speech

QUIET = ["ffmpeg", "-hide_banner", "-nostats", "-loglevel", "error"]


def levels(film: pathlib.Path) -> str:
    """Integrated loudness (LUFS), loudness range (LU) and true peak (dBFS), measured by ffmpeg as in EBU R 128."""
    said = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-i", str(film), "-af", "ebur128=peak=true", "-f", "null", "-"], check=True,
                          stderr=subprocess.PIPE, text=True).stderr
    summary = said[said.rindex("Summary:"):]
    found = [re.search(pattern, summary) for pattern in (r"I:\s+(\S+) LUFS", r"LRA:\s+(\S+) LU", r"Peak:\s+(\S+) dBFS")]
    return "loudness {} LUFS, range {} LU, true peak {} dBFS".format(*(match.group(1) if match else "?" for match in found))


def spectrogram(film: pathlib.Path, png: pathlib.Path) -> None:
    """Writes the film's spectrogram as a PNG."""
    subprocess.run([*QUIET, "-y", "-i", str(film), "-lavfi",
                    "aformat=channel_layouts=mono,aresample=16000,showspectrumpic=s=1400x420:fscale=lin:legend=1:drange=80",
                    str(png)], check=True)


def recognise(wave: np.ndarray) -> str | None:
    """What Whisper base hears; None if it is not installed."""
    try:
        return judge_sound.hear_with_whisper(wave)
    except ImportError:
        return None


def main():
    """`run.py listen`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=pathlib.Path)
    parser.add_argument("--png", type=pathlib.Path)
    parser.add_argument("--expect", help="words that should be heard")
    parser.add_argument("--voice", default="slt")
    options = parser.parse_args()
    print(levels(options.film))
    if options.png:
        spectrogram(options.film, options.png)
    heard = recognise(judge_sound.samples(options.film))
    print("recogniser not installed" if heard is None else f"recogniser hears: {heard!r}")
    if options.expect and heard is not None:
        voice = next(v for v in editions.world()["voices"] if v["id"] == options.voice)
        teacher = acoustics.speak(options.expect, voice, round(speech.speech_ms(options.expect, voice) * acoustics.SAMPLE_RATE / 1000))
        print(f"recogniser hears from the teacher's voice: {recognise(np.pad(teacher, 4000))!r}")
