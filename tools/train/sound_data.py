"""Random shots that sound, for training and judging the audio autoencoder: every voice, action and place, and lines of common words."""
import functools
import pathlib
import re

import numpy as np

import editions
import sound
import speech

WORDS = """a about after again all always am an and animal answer apple are around as ask at away back bad ball be bear beautiful because bed before begin
behind best better big bird black blue boat book both box boy bread bring brother build but buy by call came can car careful cat catch chair change
cheese child city clean clear climb cloud cold come cook could country crab cry cup cut dance danger dark day dear deep did dig do dog door down dream
drink drop dry each ear early earth east eat egg eight enough evening every eye face fall family far farm fast father feather feel field find fine fire
first fish five flower fly follow food for forest forget found four fox friend frog from fruit full fun game garden gave get girl give go gold good
grass great green ground grow had hair half hand happy hard has hat have he hear heart heavy hello help her here hide high hill him his hold home honey
hope horse hot house how hungry hurry I ice idea if in inside is island it join joy juice jump just keep key kind king kitchen know lake lamp large last
late laugh leaf learn leave left leg let letter light like lion listen little live long look lost loud love low lucky magic make man many map market may
me measure meet milk mine moment moon more morning mother mountain mouse mouth move much music must my name near need never new next nice night nine no
noise north nose not nothing now ocean of off often oil old on once one only open or orange other our out over own page paint paper park part party path
peace penguin people picture pig place plan play please pleasure point poor pretty pull push put queen question quick quiet rabbit race rain reach read
ready red rest rice rich ride right ring river road robot rock roof room round run sad safe said sail same sand saw say school sea second secret see sell
send seven shade shadow shark she shell shine ship shoe shop short should show sing sister sit six sky sleep slow small smell smile snow so soft some
song soon sound south speak spring stand star stay step still stone stop storm story street strong such summer sun sure surprise sweet swim table take
talk tall taste tea teach tell ten than thank that the their them then there these they thing think this three through throw time tiny to today together
tomorrow tonight too took top touch town toy treasure tree true try turn turtle two under until up us use usual valley vision very village visit voice
wait walk wall want warm was wash watch water wave way we wear weather welcome well west wet whale what wheel when where which white who why wide will
wind window winter wish with wonder wood word work world would write yellow yes yesterday you young your zebra zero zoo""".split()


@functools.lru_cache(maxsize=None)
def known_words():
    """The words of which most drawn lines are made."""
    import grammar_words
    texts = [*WORDS, *grammar_words.SENTENCES, *grammar_words.SPEECHES, *(word for words in grammar_words.SLOTS.values() for word in words)]
    return frozenset(re.findall(r"[a-z']+", re.sub(r"\{\w+\}", " ", " ".join(texts)).lower()))


@functools.lru_cache(maxsize=65536)
def _piece_phones(piece, voice, spoken=speech.phones_of):
    return spoken(piece, voice)


def rough_phones(text, voice):
    """Like speech.phones_of, some fifty times as fast once it is warm: a line's phones as those of its words, and of the pairs of letters of a word that is not a common
    one. Near enough for a context that carries no loss."""
    phones, at = [], 0.0
    for word in re.findall(r"[\w']+", text.lower()):
        for piece in [word] if word in known_words() else re.findall(r"\w\w?", word):
            spoken = _piece_phones(piece, voice)
            phones += [speech.Phone(p.name, at + p.begin - spoken[0].begin, at + p.end - spoken[0].begin) for p in spoken]
            at = phones[-1].end if phones else 0.0
    return tuple(phones)


def random_line(rng: np.random.Generator) -> str:
    """Words up to the length of a plan's lines."""
    line = rng.choice(WORDS)
    while rng.random() < 0.85:
        longer = f"{line} {rng.choice(WORDS)}"
        if len(longer) > editions.world().get("line_bytes", 28):
            break
        line = longer
    return str(line)


def random_shot(rng: np.random.Generator, world: dict) -> dict:
    """The part of a one-shot plan that its sound depends on."""
    if editions.EDITION == "full":
        from storybook import stories
        return stories.sample_film(rng, shots=1)
    action, place = rng.choice(world["actions"]), rng.choice(world["places"])
    voice = rng.choice(world["voices"])
    duration = round(1000 * world["shot_frames"][0] / world["fps"])
    dialogue = []
    if rng.random() < 0.8:
        text = random_line(rng)
        start, end = speech.line_span(text, voice, 0, duration)
        dialogue = [{"speaker": "fox", "text": text, "start_ms": start, "end_ms": end}]
    heard = [place["ambience"], "crickets"] + [a for a in ("rain", "wind") if "weathers" in world and a in world["ambiences"]]
    shot = {"start_ms": 0, "duration_ms": duration, "dialogue": dialogue, "ambience": heard[0] if rng.random() < 0.6 else str(rng.choice(heard[1:])),
            "action_beats": [{"at_ms": 0, "who": "fox", "what": action["id"]}]}
    return {"characters": [{"id": "fox", "voice": {"voice_id": voice["id"]}}], "shots": [shot]}


def clips(count: int, seed: int, cache: pathlib.Path | None = None) -> np.ndarray:
    """`count` shots' samples, int16 [count, samples]; kept in the folder `cache` if one is given."""
    path = cache and cache / f"sound_{count}_{seed}.npy"
    if path and path.exists():
        return np.load(path)
    world, waves = sound.default_world(), []
    for i in range(count):
        plan = random_shot(np.random.default_rng([seed, i, 1]), world)
        waves.append(np.round(sound.render_sound(plan, 0, seed * 1_000_003 + i, world) * 32767).astype(np.int16))
    result = np.stack(waves)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, result)
    return result
