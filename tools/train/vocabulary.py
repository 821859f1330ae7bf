"""The words of the world's prompts that name nothing beyond it: `plain_words` of the nano edition in assets/world/world.json.

    python vocabulary.py          prints them

The engine names every other word of a prompt as unsupported where the planner has not done so itself. Taken from drawn prompts, with what
is said aloud or lies outside the world cut out; a typing slip is too rare to pass for a word.
"""

import collections
import json
import re

import numpy as np

import grammar_prompts

PROMPTS, OFTEN = 8000, 6


def plain_words():
    counts = collections.Counter()
    for i in range(PROMPTS):
        prompt, story = grammar_prompts.sample(np.random.default_rng([77, i]))
        text = prompt.lower()
        for span in sorted(story.unsupported + [piece for event in story.events for piece in event.line], key=len, reverse=True):
            text = text.replace(span.lower(), " | ")
        counts.update(set(re.findall(r"[a-z0-9]+(?:['-][a-z0-9]+)*", text)))
    return sorted(word for word, count in counts.items() if count >= OFTEN)


if __name__ == "__main__":
    print(json.dumps(plain_words()))
