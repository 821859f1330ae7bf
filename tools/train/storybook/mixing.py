"""The sound of a shot: voices, foley at the times of its events, ambience of place and weather, and music, as stems and mixed."""

import functools

import numpy as np
from scipy import signal

from storybook import foley, music, tracks
from world import acoustics, editions, speech
from world.acoustics import SAMPLE_RATE

WORLD = editions.world("full")
BED_RMS = {"rain": 0.020, "storm": 0.032, "wind": 0.014, "waves": 0.016, "bubbles": 0.014}  # relative to full scale; default 0.010
MUSIC_RMS, DUCKED = 0.026, 0.45  # and its gain under a voice
QUIET = 0.25  # gain of the ambience under a voice: 12 dB less, so that words stay intelligible
VOICE_OF = {v["id"]: v for v in WORLD["voices"]}


@functools.lru_cache(maxsize=4096)
def spoken(text, voice_id, length):
    """A persona's voice: flite at its pitch, stretched to `length` samples and levelled like the teacher's."""
    voice = VOICE_OF[voice_id]
    if voice["pitch"] == 1.0:
        return acoustics.speak(text, voice, length).astype(np.float32)
    phones, wave, rate = speech.synthesise(text, voice["flite"])
    inner = [p for p in phones if p.name != "pau"]
    if not inner or length <= 0:
        return np.zeros(0, np.float32)
    cut = wave[round(inner[0].begin * rate):round(inner[-1].end * rate)]
    shifted = signal.resample(cut, max(1, round(len(cut) * SAMPLE_RATE / rate / voice["pitch"])))
    return acoustics.finish(acoustics.stretch(shifted, length)).astype(np.float32)


def phones_of(plan, index):
    """[(phone, start s, duration s)] of all lines of a shot, on its clock (rule in world/speech.py)."""
    shot, found = plan["shots"][index], []
    voices = {c["id"]: c["voice"]["voice_id"] for c in plan["characters"]}
    for line in shot["dialogue"]:
        phones = speech.phones_of(line["text"], VOICE_OF[voices[line["speaker"]]]["flite"])
        if not phones:
            continue
        begin, end = phones[0].begin, phones[-1].end
        lead, span = (line["start_ms"] - shot["start_ms"]) / 1000, (line["end_ms"] - line["start_ms"]) / 1000
        found += [(p.name, lead + span * (p.begin - begin) / (end - begin), span * (p.end - p.begin) / (end - begin)) for p in phones if p.name != "pau"]
    return found


def stems(plan, shot_index, seed):
    """{voice, foley, ambience, music}: float32 arrays of the shot's length at 16 kHz. The same arguments give the same samples."""
    shot = plan["shots"][shot_index]
    shown = tracks.show(plan, shot_index)
    length = round(len(shown.times) / tracks.FPS * SAMPLE_RATE)
    rng = np.random.default_rng([seed & 0xFFFFFFFF, shot_index, 9])
    parts = {name: np.zeros(length, np.float32) for name in ("voice", "foley", "ambience", "music")}
    for s, name, gain, _, _ in shown.sounds:
        piece = foley.event(name, shown.place["ground"], int(rng.integers(4)))
        acoustics.add(parts["foley"], round(s * SAMPLE_RATE), piece * np.float32(gain * rng.uniform(0.85, 1.15)))
    bed = foley.bed(shot["ambience"], seed % foley.VARIANTS)
    parts["ambience"] = foley.looped(bed, int(rng.integers(len(bed))), length) * np.float32(BED_RMS.get(shot["ambience"], 0.010) * rng.uniform(0.8, 1.2))
    voices = {c["id"]: c["voice"]["voice_id"] for c in plan["characters"]}
    speaks = np.zeros(length, np.float32)
    for line in shot["dialogue"]:
        start, samples = (round((line[k] - shot["start_ms"]) * SAMPLE_RATE / 1000) for k in ("start_ms", "end_ms"))
        acoustics.add(parts["voice"], start, spoken(line["text"], voices[line["speaker"]], samples - start))
        speaks[max(0, start - 1600):samples + 3200] = 1
    speaks = smoothed(speaks)
    parts["ambience"] *= 1 - (1 - QUIET) * speaks
    mood = plan["sound"]["music"]
    if mood != "none":
        loop = music.loop(mood, seed % music.VERSIONS)
        parts["music"] = foley.looped(loop, round(shot["start_ms"] * SAMPLE_RATE / 1000), length) * (np.float32(MUSIC_RMS) * (1 - (1 - DUCKED) * speaks))
    return parts


def smoothed(gate):
    """A gate of 0 and 1, one value per sample, smoothed over a tenth of a second."""
    total = np.cumsum(np.pad(gate, (801, 800), mode="edge"), dtype=np.float64)
    return ((total[1601:] - total[:-1601]) / 1601).astype(np.float32)


def render_sound(plan, shot_index, seed):
    """Samples of one shot: float32, mono, within ±1."""
    return np.clip(sum(stems(plan, shot_index, seed).values()), -1, 1).astype(np.float32)
