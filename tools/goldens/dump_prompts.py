"""Dumps held-out prompts of the world's grammar with what each shot of their plans shows.

    python dump_prompts.py OUT.json [--count 200] [--seed 990000011]

A shot is [place, time, [[actor, action] …], speaker, text]; the last two are null where nobody speaks. The planner is not trained or judged on prompts of this
seed (tools/train/networks/planner.py, tools/train/judge). `tests/planner/oracle_test.cpp` and `tools/bench/plan_recall.cpp` read the file.
"""
import argparse
import json
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/train"))
from prompts import grammar_prompts  # noqa: E402


def shown(plan: dict, shot: dict) -> list:
    """What a shot shows, as in the file."""
    place = next(p for p in plan["places"] if p["id"] == shot["place"])
    line = shot["dialogue"][0] if shot["dialogue"] else {"speaker": None, "text": None}
    return [place["id"], place["time_of_day"], [[beat["who"], beat["what"]] for beat in shot["action_beats"]], line["speaker"], line["text"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=990_000_011)
    given = parser.parse_args()
    cases = []
    for i in range(given.count):
        prompt, plan = grammar_prompts.sample_plan(np.random.default_rng([given.seed, i]))
        cases.append({"prompt": prompt, "shots": [shown(plan, shot) for shot in plan["shots"]]})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    given.out.write_text(f'{{"seed":{given.seed},"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
