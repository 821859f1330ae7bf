"""Checks that grammar, token stream and decoder agree: led by the right plan, the constrained decoder must be allowed every token of it.

    python tools/train/check_grammar.py PLANNER_FOLDER [COUNT] [SEED]
"""

import json
import pathlib
import sys

import planner
import planner_decode
import tokens


class Led(planner_decode.Stream):
    """Takes the right plan's token wherever the model would choose."""
    wanted, chosen = [], set()

    def pick(self, allowed):
        at = len(self.ids)
        if self.ids != self.wanted[:at] or self.wanted[at] not in allowed:
            raise AssertionError(f"not allowed after {self.vocabulary.tokenizer.decode(self.ids[-40:])!r}")
        if len(allowed) > 1:
            self.chosen.add(at)
        return self.wanted[at]


def main(folder, count=200, seed=1):
    vocabulary = tokens.Vocabulary(pathlib.Path(folder) / "tokenizer.json")
    planner_decode.Stream = Led
    choices = without_loss = 0
    for prompt, plan in planner.held_out(int(count), int(seed)):
        encoded = tokens.encode_plan(vocabulary, prompt, plan)
        Led.wanted, Led.chosen = list(encoded.ids), set()
        decoded, stream = planner_decode.decode(None, vocabulary, prompt)
        text = "".join(s.text for s in tokens.segments(prompt, plan, [[]] * len(plan["shots"])) if s.kind not in ("special", "prompt"))
        assert decoded == plan and stream.ids == encoded.ids, prompt
        assert text[text.index("{"):] == json.dumps(plan, separators=(",", ":"), ensure_ascii=False), prompt
        choices += len(Led.chosen)
        without_loss += len(Led.chosen - {i for i, loss in enumerate(encoded.loss) if loss})
    print(f"{count} plans agree; {choices / int(count):.1f} choices a plan, {without_loss} of them outside the training loss")


if __name__ == "__main__":
    main(*sys.argv[1:])
