"""Greedy decoding of a plan under the grammar of docs/BUNDLE.md. This is the Python twin of the engine's decoder; each is checked against the other.

    python tools/train/run.py decode-plan PLANNER_FOLDER "A fox runs." …
"""

import argparse
import json
import unicodedata

import torch

from common.training import WORLD
from networks import planner
from prompts import grammar, tokens
from prompts.grammar import MAX_PROPS, MAX_SHOTS, MAX_UNSUPPORTED, MOODS, PLACES, PROPS, SPAN_BYTES, WEATHERS
from prompts.grammar_spans import legal_spans
from world import speech

CAPS = {"treatment": 240, "title": 60, "name": 32, "look": 60, "description": 60}


class Stream:
    """The tokens so far (`ids`) and the model's KV cache, which holds the first `done` of them. Forced tokens are buffered until a choice needs logits; `steps`
    counts the choices."""

    def __init__(self, model, vocabulary):
        self.model, self.vocabulary = model, vocabulary
        self.ids, self.done, self.cache, self.steps = [], 0, None, 0
        special = set(vocabulary.special.values())
        self.words = [(i, b) for i, b in enumerate(vocabulary.bytes) if b and i not in special]
        self.printable = [(i, b) for i, b in self.words if all(0x20 <= c <= 0x7e and c not in b'"\\' for c in b)]

    def force(self, text, kind="literal"):
        """Appends text that leaves no choice."""
        self.ids += self.vocabulary.encode(tokens.Segment(kind, text))

    @torch.no_grad()
    def pick(self, allowed):
        """The most likely of the allowed tokens; ties go to the lowest id. Runs no forward pass if only one is allowed."""
        allowed = sorted(allowed)
        if len(allowed) == 1:
            return allowed[0]
        out = self.model(input_ids=torch.tensor([self.ids[self.done:]]), past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.cache, self.done, self.steps = out.past_key_values, len(self.ids), self.steps + 1
        return allowed[int(out.logits[0, -1, allowed].argmax())]

    def choose(self, *literals):
        """Picks one of several literals by its first token, appends and returns it."""
        first = {self.vocabulary.text(text)[0]: text for text in literals}
        text = first[self.pick(first)]
        self.force(text)
        return text

    def one_of(self, options, following):
        """Reads one of `options` (bytes or str). The first token of `following` ends the value and is not appended. Returns the value."""
        options = {o.encode() if isinstance(o, str) else o for o in options}
        prefixes = {o[:n] for o in options for n in range(len(o) + 1)}
        written, end = b"", self.vocabulary.text(following)[0]
        while True:
            allowed = {i for i, b in self.words if written + b in prefixes} | ({end} if written in options else set())
            token = self.pick(allowed)
            if token == end:
                return written.decode()
            self.ids.append(token)
            written += self.vocabulary.bytes[token]

    def free(self, cap, following):
        """Reads a free string of 1 to `cap` printable bytes, ended as in `one_of`."""
        written, end = b"", self.vocabulary.text(following)[0]
        while True:
            token = self.pick({i for i, b in self.printable if len(written) + len(b) <= cap} | ({end} if written else set()))
            if token == end:
                return written.decode()
            self.ids.append(token)
            written += self.vocabulary.bytes[token]


def ids_of(entries):
    """The ids of a list of entries."""
    return [e["id"] for e in entries]


def read_fields(stream, *parts):
    """Alternates literals and values: `parts` is literal, reader, literal, reader, …, literal. Returns the values read."""
    values = []
    for literal, read, following in zip(parts[::2], parts[1::2], parts[2::2]):
        stream.force(literal)
        values.append(read(following))
    stream.force(parts[-1])
    return values


def optional(there, literal, read):
    """The parts of a field that only some worlds have; empty unless `there`."""
    return (literal, read) if there else ()


def decode(model, vocabulary, prompt, lines=()):
    """(plan, stream) of a prompt. `lines` are spoken, at most one per shot and in this order, and nothing else is; the engine finds them in the prompt."""
    stream = Stream(model, vocabulary)
    data = unicodedata.normalize("NFC", prompt).encode()
    spans = {data[s:e] for s, e in legal_spans(data, SPAN_BYTES)}
    free = lambda name: lambda following: stream.free(CAPS[name], following)
    choose = lambda options: lambda following: stream.one_of(options, following)
    world = lambda name: choose(ids_of(WORLD[name]))

    stream.force("<|im_start|>", "special")
    stream.force("user\n")
    stream.force(prompt, "prompt")
    for text, kind in (("<|im_end|>", "special"), ("\n", "literal"), ("<|im_start|>", "special"), ("assistant\n", "literal")):
        stream.force(text, kind)
    lengths = {str(grammar.shot_start(n)): n for n in range(max(1, len(lines)), MAX_SHOTS + 1)}
    words, title, total = read_fields(stream, '{"version":"fabula.plan/1","treatment":"', free("treatment"), '","title":"', free("title"),
                                 '","aspect":"16:9","fps":24,"total_ms":', choose(lengths), ',"language":"en","characters":[')
    characters, places, shots, unsupported = [], [], [], []
    while True:
        left = [a for a in ids_of(WORLD["actors"]) if a not in ids_of(characters)]
        actor, name, look, voice = read_fields(stream, '{"id":"', choose(left), '","name":"', free("name"), '","look":"', free("look"),
                                          '","voice":{"voice_id":"', world("voices"), tokens.CHARACTER_END)
        characters.append({"id": actor, "name": name, "look": look, "voice": {"voice_id": voice}})
        if stream.choose(tokens.AFTER_CHARACTERS, *[","] * (len(left) > 1)) != ",":
            break
    while True:
        left = [p for p in ids_of(WORLD["places"]) if p not in ids_of(places)]
        stream.force('{"id":"')
        place = stream.one_of(left, '","description":"')  # the possible weathers depend on it
        description, time, *weather = read_fields(stream, '","description":"', free("description"), '","time_of_day":"', choose(WORLD["times"]),
                                             *optional(WEATHERS, '","weather":"', choose(PLACES[place].get("weathers", WEATHERS))), tokens.PLACE_END)
        places.append({"id": place, "description": description, "time_of_day": time, **({"weather": weather[0]} if weather else {})})
        if stream.choose(tokens.AFTER_PLACES, *[","] * (len(left) > 1)) != ",":
            break
    plan = {"version": "fabula.plan/1", "treatment": words, "title": title, "aspect": "16:9", "fps": 24, "total_ms": int(total), "language": "en",
            "characters": characters, "places": places, "shots": shots, "sound": {"music": "none"}, "unsupported": unsupported}
    for i in range(lengths[total]):
        if i:
            stream.force(",")
        left = list(lines[sum(len(s["dialogue"]) for s in shots):])
        shots.append(decode_shot(stream, i, characters, places, left, len(left) >= lengths[total] - i, choose, world))
        stream.force("<|score|>", "special")
        for token, _ in speech.score(WORLD, plan, i):
            stream.force(token, "sound")
        stream.force("<|/score|>", "special")
    stream.force(tokens.AFTER_SHOTS)
    more = stream.choose(tokens.END, *[tokens.UNSUPPORTED_OPEN] * bool(spans))
    while more != tokens.END:
        unsupported.append(stream.one_of(spans, '"'))
        stream.force('"')
        more = stream.choose(tokens.END, *[","] * (len(unsupported) < MAX_UNSUPPORTED))
        if more == ",":
            stream.force(tokens.UNSUPPORTED_OPEN)
    stream.force("<|im_end|>", "special")
    return plan, stream


def decode_shot(stream, i, characters, places, lines, must_speak, choose, world):
    """Decodes one SHOT of the stream. It may speak the first of `lines`, and must if `must_speak`. choose, world: makers of readers, from `decode`."""
    start = grammar.shot_start(i)
    duration = grammar.shot_start(i + 1) - start
    identity = f"s{10 * (i + 1):03}"
    place, = read_fields(stream, f'{{"id":"{identity}","place":"', choose(ids_of(places)), '","start_ms":')
    stream.force(str(start), "number")
    stream.force(',"duration_ms":')
    stream.force(str(duration), "number")
    stream.force(',"cast":[')
    cast, beats, dialogue = [], [], []
    while True:
        left = [c for c in ids_of(characters) if c not in ids_of(cast)]
        actor, position, facing, *mood = read_fields(stream, '{"id":"', choose(left), '","position":"', choose(WORLD["positions"]), '","facing":"',
                                                choose(WORLD["facings"]), *optional(MOODS, '","mood":"', choose(MOODS)), tokens.CAST_END)
        cast.append({"id": actor, "position": position, "facing": facing, **({"mood": mood[0]} if mood else {})})
        if stream.choose(tokens.AFTER_CAST, *[","] * (len(left) > 1 and len(cast) < 2)) != ",":
            break
    props = decode_props(stream, choose) if PROPS else []
    while True:
        left = [c for c in ids_of(cast) if c not in [b["who"] for b in beats]]
        who, what = read_fields(stream, '{"at_ms":0,"who":"', choose(left), '","what":"', world("actions"), tokens.BEAT_END)
        beats.append({"at_ms": 0, "who": who, "what": what})
        if stream.choose(tokens.AFTER_BEATS, *[","] * (len(left) > 1)) != ",":
            break
    size = stream.one_of(WORLD["camera_sizes"], '","move":"')
    move, = read_fields(stream, '","move":"', choose(WORLD["camera_moves"]), '"},"dialogue":[')
    if stream.choose(*[tokens.AFTER_LINE] * (not must_speak), *[tokens.LINE_OPEN] * bool(lines)) == tokens.LINE_OPEN:
        speaker = stream.one_of(ids_of(cast), '","text":"')
        text, = read_fields(stream, '","text":"', choose(lines[:1]), '","start_ms":')
        voice = next(c["voice"]["voice_id"] for c in characters if c["id"] == speaker)
        begin, end = speech.line_span(text, grammar.VOICES[voice], start, duration)
        stream.force(str(begin), "number")
        stream.force(',"end_ms":')
        stream.force(str(end), "number")
        stream.force(',"mode":"on_screen"}')
        dialogue.append({"speaker": speaker, "text": text, "start_ms": begin, "end_ms": end, "mode": "on_screen"})
        stream.force(tokens.AFTER_LINE)
    ambience = stream.one_of(WORLD["ambiences"], tokens.SHOT_END)
    stream.force(tokens.SHOT_END)
    return {"id": identity, "place": place, "start_ms": start, "duration_ms": duration, "cast": cast, **({"props": props} if PROPS else {}),
            "action_beats": beats,
            "camera": {"size": size, "move": move}, "dialogue": dialogue, "ambience": ambience}


def decode_props(stream, choose):
    """Decodes a shot's props, including the literal that opens its beats."""
    props = []
    more = stream.choose(tokens.AFTER_PROPS, tokens.PROP_OPEN)
    while more != tokens.AFTER_PROPS:
        left = [p for p in PROPS if p not in ids_of(props)]
        prop, position = read_fields(stream, "", choose(left), '","position":"', choose(WORLD["positions"]), tokens.PROP_END)
        props.append({"id": prop, "position": position})
        more = stream.choose(tokens.AFTER_PROPS, *[","] * (len(props) < MAX_PROPS))
        if more == ",":
            stream.force(tokens.PROP_OPEN)
    return props


def field_agreement(wanted, got):
    """{field: whether all its values in `got` equal those in `wanted`}. `staging` is the cast with positions, facings and moods."""
    lines = lambda plan: [d["text"] for s in plan["shots"] for d in s["dialogue"]]
    beats = lambda plan, key: [[b[key] for b in s["action_beats"]] for s in plan["shots"]]
    return {"shots": wanted["total_ms"] == got["total_ms"],
            "place": [s["place"] for s in wanted["shots"]] == [s["place"] for s in got["shots"]],
            "time": [p["time_of_day"] for p in wanted["places"]] == [p["time_of_day"] for p in got["places"]],
            "weather": [p.get("weather") for p in wanted["places"]] == [p.get("weather") for p in got["places"]],
            "props": [s.get("props") for s in wanted["shots"]] == [s.get("props") for s in got["shots"]],
            "actor": beats(wanted, "who") == beats(got, "who"), "action": beats(wanted, "what") == beats(got, "what"),
            "line": lines(wanted) == lines(got), "voice": [c["voice"] for c in wanted["characters"]] == [c["voice"] for c in got["characters"]],
            "staging": [s["cast"] for s in wanted["shots"]] == [s["cast"] for s in got["shots"]],
            "camera": [s["camera"] for s in wanted["shots"]] == [s["camera"] for s in got["shots"]],
            "unsupported": wanted["unsupported"] == got["unsupported"], "all": wanted == got}


def evaluate(model, vocabulary, samples):
    """Share of plans with each field right, under constrained greedy decoding."""
    said = lambda plan: [d["text"] for s in plan["shots"] for d in s["dialogue"]]
    rows = [field_agreement(plan, decode(model, vocabulary, prompt, said(plan))[0]) for prompt, plan in samples]
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def main():
    """`run.py decode-plan`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planner", metavar="PLANNER_FOLDER")
    parser.add_argument("prompt", nargs="*", help="default: evaluate on held-out prompts")
    parser.add_argument("--count", type=int, default=100, help="held-out prompts to evaluate")
    parser.add_argument("--brief", action="store_true", help="print a summary instead of JSON")
    given = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    model, vocabulary = planner.load(given.planner)
    for prompt in given.prompt:
        plan, stream = decode(model, vocabulary, prompt)
        print(summary(prompt, plan) if given.brief else json.dumps(plan, ensure_ascii=False), f"[{len(stream.ids)} tokens, {stream.steps} choices]")
    if not given.prompt:
        print(json.dumps(evaluate(model, vocabulary, planner.held_out_plans(given.count, planner.EVAL_SEED + 1))))


def summary(prompt, plan):
    """A plan in two lines, for people."""
    lines = [d["text"] for s in plan["shots"] for d in s["dialogue"]]
    beats = [" ".join(f"{b['who']}:{b['what']}" for b in s["action_beats"]) + "@" + s["place"] for s in plan["shots"]]
    return f"{prompt!r}\n   {plan['treatment']} | {'; '.join(beats)} | {[p['time_of_day'] for p in plan['places']]} {lines} unsupported {plan['unsupported']}"
