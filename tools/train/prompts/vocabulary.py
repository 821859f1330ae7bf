"""The plain words of an edition (FABULA_WORLD): words of prompts that name nothing outside the world, `plain_words` in assets/world/world.json.

    python tools/train/run.py vocabulary [--check | --write]       prints them; --check compares world.json, --write updates it

The engine lists every other word of a prompt as unsupported if the planner has not done so. The words come from drawn prompts, without what is spoken or
outside the world; typing slips are too rare to count. Always included are the words of world.json's actors, places, actions, times, weathers, moods and props,
those of the grammar's lists, and a few verbs of speech and pronouns that the draw may miss.
"""

import argparse
import collections
import json
import re
import sys

import numpy as np

from prompts import grammar_prompts, grammar_words
from world import editions

WORLD = editions.world()
PROMPTS, OFTEN = 12000, 16
MORE = "say said speak whisper shout sing ask his her its but quietly loudly our we you your them him these those also too".split()
WORD = r"[a-z0-9]+(?:['-][a-z0-9]+)*"


def plain_words():
    """The edition's plain words, sorted."""
    counts = collections.Counter()
    for i in range(PROMPTS):
        prompt, story = grammar_prompts.sample(np.random.default_rng([77, i]))
        text = prompt.lower()
        for span in sorted(story.unsupported + [piece for event in story.events for piece in event.line], key=len, reverse=True):
            text = text.replace(span.lower(), " | ")
        counts.update(set(re.findall(WORD, text)))
    named = [w for kind in ("actors", "places", "actions", "weathers", "moods", "props") for entry in WORLD.get(kind, [])
             for w in entry["words"]] + WORLD["times"]
    if "props" in WORLD:  # in a larger world, these are drawn too seldom to be counted
        words = grammar_words
        named += [w for named_by in (words.ACTOR_WORDS, words.PROP_WORDS) for several in named_by.values() for w in several]
        named += [w for before, after, adverbs in words.MOODS.values() for w in before + after + adverbs]
        named += [w for nouns, _ in words.PLACES.values() for w in nouns] + [w for verbs in words.VERBS.values() for verb in verbs for w in verb]
        named += [w for several in words.VOICES.values() for w in several] + words.ADJECTIVES + words.ADVERBS
    return sorted({word for word, count in counts.items() if count >= OFTEN and (len(word) > 1 or word in "ai" or word.isdigit())}
                  | set(re.findall(WORD, " ".join(named).lower())) | set(MORE))


def write():
    """Writes the edition's words into world.json and leaves the rest unchanged."""
    everything = json.loads(editions.PATH.read_text())
    everything["editions"][editions.EDITION]["plain_words"] = plain_words()
    editions.PATH.write_text(editions.text(everything))


def main():
    """`run.py vocabulary`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="exit with 1 unless world.json has the same words")
    what.add_argument("--write", action="store_true", help="write the words into world.json")
    arguments = parser.parse_args()
    if arguments.check:
        made, kept = set(plain_words()), set(WORLD["plain_words"])
        print(f"{len(kept)} words" if made == kept else f"only drawn: {sorted(made - kept)}; only in world.json: {sorted(kept - made)}")
        sys.exit(made != kept)
    elif arguments.write:
        write()
    else:
        print(json.dumps(plain_words()))
