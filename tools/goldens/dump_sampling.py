"""Dumps what transformers keeps of random logits under temperature, top-p and min-p.

    python dump_sampling.py OUT

OUT/filters.json: `logits`, and for each case `allowed` (the tokens of a mask), `temperature`, `top_p`, `min_p`, and what is kept: `tokens` by ascending id,
and their `probabilities`. `tests/planner/sampler_test.cpp` compares the engine with it.
"""
import argparse
import json
import pathlib

import torch
from transformers import LogitsProcessorList, MinPLogitsWarper, TemperatureLogitsWarper, TopPLogitsWarper

SEED, VOCABULARY = 20261126, 200


def kept(logits: torch.Tensor, allowed: list[int], temperature: float, top_p: float, min_p: float) -> dict:
    """One case: the allowed logits through the temperature, then through the filters that are on."""
    masked = torch.full_like(logits, float("-inf"))
    masked[allowed] = logits[allowed]
    warpers = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
    if top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))
    if min_p > 0:
        warpers.append(MinPLogitsWarper(min_p))
    probabilities = warpers(torch.zeros(1, 1, dtype=torch.long), masked[None])[0].double().softmax(-1)
    tokens = [int(i) for i in torch.nonzero(probabilities)[:, 0]]
    return {"allowed": allowed, "temperature": temperature, "top_p": top_p, "min_p": min_p, "tokens": tokens,
            "probabilities": [float(probabilities[i]) for i in tokens]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    torch.manual_seed(SEED)
    logits = (3 * torch.randn(VOCABULARY)).float()
    everything, third = list(range(VOCABULARY)), list(range(1, VOCABULARY, 3))
    cases = [kept(logits, allowed, temperature, top_p, min_p) for allowed in (everything, third, [7], [7, 8]) for temperature in (0.5, 1.0, 1.7)
             for top_p, min_p in ((1.0, 0.0), (0.9, 0.0), (0.3, 0.0), (0.01, 0.0), (1.0, 0.05), (1.0, 1.0), (0.9, 0.05), (0.6, 0.2))]
    out.mkdir(parents=True, exist_ok=True)
    (out / "filters.json").write_text(json.dumps({"logits": [float(x) for x in logits], "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
