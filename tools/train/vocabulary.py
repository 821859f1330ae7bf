"""The words of the world's prompts that name nothing beyond it: `plain_words` of the nano edition in assets/world/world.json.

    python vocabulary.py          prints them
    python vocabulary.py --check  says whether world.json has the same

The engine names every other word of a prompt as unsupported where the planner has not done so itself. Taken from drawn prompts, with what
is said aloud or lies outside the world cut out; a typing slip is too rare to pass for a word. To them come the words that world.json itself gives to its
actors, places, actions and times, and the few of speech and of pronouns that the draw may miss.
"""

import collections
import json
import re
import sys

import numpy as np

import grammar_prompts
from training import WORLD

PROMPTS, OFTEN = 8000, 6
MORE = "say said speak whisper shout sing ask his her its but".split()
WORD = r"[a-z0-9]+(?:['-][a-z0-9]+)*"


def plain_words():
    counts = collections.Counter()
    for i in range(PROMPTS):
        prompt, story = grammar_prompts.sample(np.random.default_rng([77, i]))
        text = prompt.lower()
        for span in sorted(story.unsupported + [piece for event in story.events for piece in event.line], key=len, reverse=True):
            text = text.replace(span.lower(), " | ")
        counts.update(set(re.findall(WORD, text)))
    named = [w for kind in ("actors", "places", "actions") for entry in WORLD[kind] for w in entry["words"]] + WORLD["times"]
    return sorted({word for word, count in counts.items() if count >= OFTEN} | set(re.findall(WORD, " ".join(named).lower())) | set(MORE))


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        made, kept = set(plain_words()), set(WORLD["plain_words"])
        print(f"{len(kept)} words" if made == kept else f"only drawn: {sorted(made - kept)}; only in world.json: {sorted(kept - made)}")
        sys.exit(made != kept)
    print(json.dumps(plain_words()))
