"""Phones, durations and teacher speech from flite 2.2, called in process through its C library.

The engine computes the same numbers with the same calls (`flite_synth_text`, then the `Segment` relation's `name` and `end`). Everything here depends on
these alone. The exact rules:

* A text is synthesised as ONE utterance. A segment's `end` (seconds, float32) is read as a double; its begin is the previous segment's end, or 0.
* Outer pauses (`pau` at either end) are dropped. `begin` of the first and `end` of the last remaining segment bound the speech.
* Inner pauses take time but produce no token, as do phones that are not in world.json's `phones`.
* `speech_ms = floor(1000 * (end - begin) / tempo + 0.5)`.
* A line in a shot starts LEAD_MS after the shot and ends at the earlier of start + speech_ms and the shot's end - TAIL_MS.
* A phone's start in the shot, in seconds: `((line.start_ms - shot.start_ms) + (line.end_ms - line.start_ms) * (p - begin) / (end - begin)) / 1000`
  in double arithmetic, where p is the phone's begin.
* A sound event's start is `(at_ms + first_ms + k * every_ms) / 1000` for k = 0, 1, … while the milliseconds stay below the shot's duration.
"""
import ctypes
import functools
import math
import re
from typing import NamedTuple

import numpy as np

LEAD_MS = 250  # from a shot's start to its line's start
TAIL_MS = 100  # silence kept at a shot's end


class Phone(NamedTuple):
    """One flite segment: its name and its begin and end in seconds of the utterance."""
    name: str
    begin: float
    end: float


class _Wave(ctypes.Structure):
    """`cst_wave` of flite's cst_wave.h."""
    _fields_ = [("type", ctypes.c_char_p), ("sample_rate", ctypes.c_int), ("num_samples", ctypes.c_int),
                ("num_channels", ctypes.c_int), ("samples", ctypes.POINTER(ctypes.c_short))]


@functools.cache
def _library():
    """libflite with the signatures used here."""
    for name in ("libflite.so.1", "libflite_cmulex.so.1", "libflite_usenglish.so.1"):
        ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    lib = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
            ("flite_init", ctypes.c_int, []), ("flite_synth_text", pointer, [text, pointer]), ("delete_utterance", None, [pointer]),
            ("utt_relation", pointer, [pointer, text]), ("relation_head", pointer, [pointer]), ("item_next", pointer, [pointer]),
            ("item_feat_string", text, [pointer, text]), ("item_feat_float", ctypes.c_float, [pointer, text]),
            ("utt_wave", ctypes.POINTER(_Wave), [pointer])):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    lib.flite_init()
    return lib


@functools.cache
def _voice(flite_voice: str):
    """The registered `cst_voice*` of a US English voice, e.g. "slt"."""
    _library()
    register = getattr(ctypes.CDLL(f"libflite_cmu_us_{flite_voice}.so.1", mode=ctypes.RTLD_GLOBAL), f"register_cmu_us_{flite_voice}")
    register.restype, register.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return register(None)


# Words that flite reads as something else, as in audio/phonemes.cpp; + repeats the last letter.
READINGS = {"i": "eye", "hm+": "hum", "mhm+": "um hum", "mm+": "um", "sh+": "shush", "psst+": "pist", "brr+": "burr", "grr+": "gur",
            "pff+": "puff", "pfft+": "puft", "tsk": "tisk", "zz+": "zuz", "nth": "enth"}


def readable(text: str) -> str:
    """The text with the words replaced that flite misreads."""
    read = lambda word: next((said for form, said in READINGS.items() if re.fullmatch(form, word.lower())), word)
    return re.sub(r"[A-Za-z']+", lambda match: read(match[0]), text)


@functools.lru_cache(maxsize=256)
def synthesise(text: str, flite_voice: str) -> tuple[list[Phone], np.ndarray, int]:
    """(all segments including pauses, waveform float32 in -1…1, mono, sample rate). Raises RuntimeError if flite fails."""
    lib = _library()
    ctypes.CDLL(None).srand(1)  # the voices' noise excitation uses rand(): makes the samples reproducible
    utterance = lib.flite_synth_text(readable(text).encode(), _voice(flite_voice))
    if not utterance:
        raise RuntimeError(f"flite could not speak {text!r}")
    try:
        phones, begin = [], 0.0
        item = lib.relation_head(lib.utt_relation(utterance, b"Segment"))
        while item:
            end = float(lib.item_feat_float(item, b"end"))
            phones.append(Phone(lib.item_feat_string(item, b"name").decode(), begin, end))
            begin, item = end, lib.item_next(item)
        wave = lib.utt_wave(utterance).contents
        samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32) / 32768.0
        return phones, samples, wave.sample_rate
    finally:
        lib.delete_utterance(utterance)


@functools.lru_cache(maxsize=65536)
def phones_of(text: str, flite_voice: str) -> tuple[Phone, ...]:
    """Segments of `text` without outer pauses; empty if nothing is spoken."""
    phones = synthesise(text, flite_voice)[0]
    spoken = [i for i, phone in enumerate(phones) if phone.name != "pau"]
    return tuple(phones[spoken[0]:spoken[-1] + 1]) if spoken else ()


def voice_of(world: dict, voice_id: str) -> dict:
    """The entry of world.json's `voices` with this id."""
    return next(voice for voice in world["voices"] if voice["id"] == voice_id)


def speech_ms(text: str, voice: dict) -> int:
    """Spoken duration in milliseconds, without outer pauses, at the tempo of `voice` (an entry of world.json's `voices`)."""
    phones = phones_of(text, voice["flite"])
    return math.floor(1000 * (phones[-1].end - phones[0].begin) / voice["tempo"] + 0.5) if phones else 0


def line_span(text: str, voice: dict, shot_start_ms: int, shot_duration_ms: int) -> tuple[int, int]:
    """(start_ms, end_ms) of a line in its shot, on the film's clock."""
    start = shot_start_ms + LEAD_MS
    return start, min(start + speech_ms(text, voice), shot_start_ms + shot_duration_ms - TAIL_MS)


def score(world: dict, plan: dict, shot_index: int) -> list[tuple[str, float]]:
    """The score of a shot (docs/BUNDLE.md, "SCORE"): [(token, start in seconds from the shot's start)], in order of time."""
    shot = plan["shots"][shot_index]
    actions = {action["id"]: action for action in world["actions"]}
    given = [effect for effect in shot.get("sfx", []) if effect["description"] in world["sounds"]]  # explicit times replace the actions' sounds
    entries = [(f"<|snd:{effect['description']}|>", effect["at_ms"] / 1000) for effect in given]
    for beat in shot["action_beats"] if not entries else ():
        for sound in actions[beat["what"]]["sounds"]:
            entries += [(f"<|snd:{sound['sound']}|>", ms / 1000) for ms in sound_times(sound, beat["at_ms"], shot["duration_ms"])]
    for line in shot["dialogue"]:
        entries += _phone_entries(world, plan, shot, line)
    return sorted(entries, key=lambda entry: entry[1])  # stable: beats come before phones at equal starts


def sound_times(sound: dict, at_ms: int, duration_ms: int) -> list[int]:
    """Times in ms at which an action's sound occurs within a shot: its listed times, or periodically."""
    if "at_ms" in sound:
        return [at_ms + ms for ms in sound["at_ms"] if at_ms + ms < duration_ms]
    return list(range(at_ms + sound["first_ms"], duration_ms, sound["every_ms"]))


def _phone_entries(world: dict, plan: dict, shot: dict, line: dict) -> list[tuple[str, float]]:
    """The phone tokens of a line with their starts."""
    voice_id = next(c["voice"]["voice_id"] for c in plan["characters"] if c["id"] == line["speaker"])
    phones = phones_of(line["text"], voice_of(world, voice_id)["flite"])
    if not phones:
        return []
    begin, end = phones[0].begin, phones[-1].end
    lead, span = line["start_ms"] - shot["start_ms"], line["end_ms"] - line["start_ms"]
    known = set(world["phones"])
    return [(f"<|ph:{p.name}|>", (lead + span * (p.begin - begin) / (end - begin)) / 1000) for p in phones if p.name in known]
