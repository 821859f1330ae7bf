"""Checks the constrained decoder against right plans: steered by a plan's own tokens, it must allow every one of them.

    python tools/train/run.py check-decoding PLANNER_FOLDER [COUNT] [SEED]
"""

import argparse
import pathlib

from networks import planner, planner_decode
from prompts import tokens
from prompts.check_grammar import check_stream


class SteeredStream(planner_decode.Stream):
    """Takes the next token of `wanted` wherever the model would choose; `chosen` collects the positions of real choices."""
    wanted, chosen = [], set()

    def pick(self, allowed):
        """The wanted token; raises AssertionError if it is not allowed."""
        at = len(self.ids)
        if self.ids != self.wanted[:at] or self.wanted[at] not in allowed:
            raise AssertionError(f"not allowed after {self.vocabulary.tokenizer.decode(self.ids[-40:])!r}")
        if len(allowed) > 1:
            self.chosen.add(at)
        return self.wanted[at]


def check(folder, count=200, seed=1):
    """Decodes `count` held-out prompts, each steered by its right plan; raises AssertionError where a token is not allowed."""
    vocabulary = tokens.Vocabulary(pathlib.Path(folder) / "tokenizer.json")
    planner_decode.Stream = SteeredStream
    choices = without_loss = 0
    for prompt, plan in planner.held_out_plans(count, seed):
        encoded = tokens.encode_plan(vocabulary, prompt, plan)
        SteeredStream.wanted, SteeredStream.chosen = list(encoded.ids), set()
        said = [line["text"] for shot in plan["shots"] for line in shot["dialogue"]]
        decoded, stream = planner_decode.decode(None, vocabulary, prompt, said)
        check_stream(vocabulary, prompt, plan)
        assert decoded == plan and stream.ids == encoded.ids, prompt
        choices += len(SteeredStream.chosen)
        without_loss += len(SteeredStream.chosen - {i for i, loss in enumerate(encoded.loss) if loss})
    print(f"{count} plans agree; {choices / count:.1f} choices per plan, {without_loss} of them outside the training loss")


def main():
    """`run.py check-decoding`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planner", type=pathlib.Path, metavar="PLANNER_FOLDER")
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    arguments = parser.parse_args()
    check(arguments.planner, arguments.count, arguments.seed)
