"""Checks the planner's training data: plans are legal and follow from their streams, prompts contain what is copied. Prints the frequency of every value, and
speed.

    python tools/train/run.py check-grammar [COUNT] [SEED]

Checks plans of prompts, and films drawn attribute by attribute. `check-decoding` checks the constrained decoder.
"""

import argparse
import collections
import json
import pathlib
import tempfile
import time

import numpy as np

from prompts import common_words, grammar, grammar_prompts, grammar_shots, tokens
from prompts.grammar import LINE_BYTES, MAX_PROPS, MAX_SHOTS, MAX_UNSUPPORTED, MOODS, PLACES, PROPS, SPAN_BYTES, WEATHERS, WORLD
from prompts.grammar_spans import legal_spans
from world import editions, speech

LISTS = ("actors", "places", "actions", "voices", "times", "positions", "facings", "camera_sizes", "camera_moves", "ambiences")
IDS = {name: {e["id"] if isinstance(e, dict) else e for e in WORLD[name]} for name in LISTS}


def check_plan(prompt, plan, copied=True):
    """Asserts what docs/BUNDLE.md requires of a plan. copied: lines must be legal spans of the prompt."""
    data = prompt.encode()
    spans = {cap: {data[s:e].decode() for s, e in legal_spans(data, cap)} for cap in (LINE_BYTES, SPAN_BYTES)}
    actors, places = [c["id"] for c in plan["characters"]], [p["id"] for p in plan["places"]]
    assert len(set(actors)) == len(actors) and set(actors) <= IDS["actors"], actors
    assert len(set(places)) == len(places) and set(places) <= IDS["places"], places
    assert 1 <= len(plan["shots"]) <= MAX_SHOTS and plan["total_ms"] == grammar.shot_start(len(plan["shots"]))
    assert len(plan["treatment"]) <= 240 and len(plan["title"]) <= 60
    assert all(0x20 <= ord(c) <= 0x7e and c not in '"\\' for c in plan["treatment"] + plan["title"])
    assert all(c["voice"]["voice_id"] in IDS["voices"] for c in plan["characters"])
    for place in plan["places"]:
        assert place["time_of_day"] in IDS["times"] and (not WEATHERS or place["weather"] in PLACES[place["id"]]["weathers"]), place
    for i, shot in enumerate(plan["shots"]):
        cast = [c["id"] for c in shot["cast"]]
        assert shot["place"] in places and 1 <= len(cast) <= 2 and len(set(cast)) == len(cast) and set(cast) <= set(actors)
        assert shot["start_ms"] == grammar.shot_start(i) and shot["start_ms"] + shot["duration_ms"] == grammar.shot_start(i + 1)
        for member in shot["cast"]:
            assert member["position"] in IDS["positions"] and member["facing"] in IDS["facings"] and (not MOODS or member["mood"] in MOODS), member
        props = [p["id"] for p in shot.get("props", [])]
        assert len(props) <= MAX_PROPS and len(set(props)) == len(props) and set(props) <= set(PROPS)
        assert all(p["position"] in IDS["positions"] for p in shot.get("props", []))
        assert [b["who"] for b in shot["action_beats"]] == cast and all(b["what"] in IDS["actions"] and b["at_ms"] == 0 for b in shot["action_beats"])
        assert shot["camera"]["size"] in IDS["camera_sizes"] and shot["camera"]["move"] in IDS["camera_moves"] and shot["ambience"] in IDS["ambiences"]
        for line in shot["dialogue"]:
            assert line["speaker"] in cast and len(line["text"].encode()) <= LINE_BYTES and line["text"] in prompt, line
            assert not copied or line["text"] in spans[LINE_BYTES], line
    assert len(plan["unsupported"]) <= MAX_UNSUPPORTED and all(span in spans[SPAN_BYTES] for span in plan["unsupported"]), plan["unsupported"]


def check_stream(vocabulary, prompt, plan):
    """Asserts that the stream contains the plan's JSON, and that its tokens decode to it. Returns the number of tokens."""
    text = "".join(s.text for s in tokens.segments(prompt, plan, [[]] * len(plan["shots"])) if s.kind not in ("special", "prompt"))
    assert json.loads(text[text.index("{"):]) == plan and text[text.index("{"):] == json.dumps(plan, separators=(",", ":"), ensure_ascii=False), prompt
    encoded = tokens.encode_plan(vocabulary, prompt, plan)
    ids = encoded.ids
    begin = ids.index(vocabulary.special["<|im_start|>"], 1)
    special = set(vocabulary.special.values())
    decoded = b"".join(vocabulary.bytes[i] for i in ids[begin:] if i not in special).decode()
    assert json.loads(decoded[decoded.index("{"):]) == plan, prompt
    assert len(ids) == len(encoded.loss) == len(encoded.kinds) and max(i for rows, sounds, _ in encoded.shots for i in rows + sounds) < len(ids)
    return len(ids)


def count_values(counts, plan):
    """Adds the values of a plan's shots to the counters in `counts`, by kind."""
    settings = {p["id"]: p for p in plan["places"]}
    for shot in plan["shots"]:
        place = settings[shot["place"]]
        counts["place"][place["id"]] += 1
        counts["time"][place["time_of_day"]] += 1
        counts["weather"][place.get("weather")] += 1
        counts["size"][shot["camera"]["size"]] += 1
        counts["move"][shot["camera"]["move"]] += 1
        counts["ambience"][shot["ambience"]] += 1
        counts["props in a shot"][len(shot.get("props", []))] += 1
        counts["line"]["line" if shot["dialogue"] else "none"] += 1
        for prop in shot.get("props", []):
            counts["prop"][prop["id"]] += 1
        for member, beat in zip(shot["cast"], shot["action_beats"]):
            counts["actor"][member["id"]] += 1
            counts["mood"][member.get("mood")] += 1
            counts["action"][beat["what"]] += 1
            counts["position"][member["position"]] += 1
    for character in plan["characters"]:
        counts["voice"][character["voice"]["voice_id"]] += 1


def tokenizer(draw):
    """A vocabulary trained on 400 plans. draw: numpy Generator -> (prompt, plan)."""
    texts, rng = [" ".join(common_words.WORDS)] * 30, np.random.default_rng(7)
    for _ in range(400):
        prompt, plan = draw(rng)
        texts += [s.text for s in tokens.segments(prompt, plan, [[]] * len(plan["shots"])) if s.kind != "special"]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tokenizer.json"
        tokens.train_tokenizer(texts, path)
        return tokens.Vocabulary(path)


def check(count=400, seed=1):
    """Checks `count` plans of each kind and prints the figures."""
    speech.phones_of = common_words.rough_phones
    vocabulary = tokenizer(grammar_prompts.sample_plan)
    for name, draw in (("prompts", grammar_prompts.sample_plan), ("shots", grammar_shots.sample_shots)):
        rng, counts, lengths, start = np.random.default_rng(seed), collections.defaultdict(collections.Counter), [], time.process_time()
        for _ in range(count):
            prompt, plan = draw(rng)
            check_plan(prompt, plan)
            lengths.append(check_stream(vocabulary, prompt, plan))
            count_values(counts, plan)
            if name == "shots":
                for shot in plan["shots"]:
                    assert not any(editions.is_held_out("actors_places", c["id"], shot["place"]) for c in shot["cast"])
                    assert not any(editions.is_held_out("actors_actions", b["who"], b["what"]) for b in shot["action_beats"])
        rate = count / (time.process_time() - start)
        print(f"{name}: {count} plans are legal; {np.mean(lengths):.0f} tokens per plan, {max(lengths)} at most; {rate:.0f} plans per second including checks")
        for kind, values in counts.items():
            total = sum(values.values())
            print(f"  {kind}: " + " ".join(f"{v} {100 * n / total:.1f}" for v, n in values.most_common()) + " %")


def main():
    """`run.py check-grammar`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=400)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    arguments = parser.parse_args()
    check(arguments.count, arguments.seed)
