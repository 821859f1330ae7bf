"""Dumps what the Python twin makes of plans: a bundle with a tiny random planner, and beside it token streams, states and greedy plans.

    FABULA_WORLD=nano python dump_plans.py TOKENIZER_JSON OUT       the edition whose words and scores the tokenizer knows

OUT becomes as much of a bundle as the planner reads (fabula.json, world.json, planner/), with `plans.json` and `states.safetensors`: `streams` are plans with
their tokens and the conditioning rows of each shot; `state.I` [tokens, hidden] are the tap layer's states of stream I; `greedy` are prompts and lines with the
plan and the tokens of constrained greedy decoding. `tests/planner/planner_test.cpp` compares the engine with them.
"""
import argparse
import json
import pathlib
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/train"))
from networks import planner_decode  # noqa: E402
from prompts import grammar_prompts, tokens  # noqa: E402
from world import editions  # noqa: E402

SEED, STREAMS, TAP_LAYER = 20261124, 8, 2
GREEDY = (("A fox runs through a forest at night. It says: hello moon.", ("hello moon",)),
          ("Zwei Füchse -- it's raining! \"Really?\" On the beach: a crab & a pig.", ("Really?", "a crab", "a pig")))


def random_planner(vocabulary: int) -> Qwen3ForCausalLM:
    """A model with random weights: no parameter keeps its default, and logits differ enough for a clear greedy choice."""
    torch.manual_seed(SEED)
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=vocabulary, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                                         num_key_value_heads=2, head_dim=8, max_position_embeddings=4096, tie_word_embeddings=True,
                                         rope_parameters={"rope_theta": 10000.0, "rope_type": "default"}, bos_token_id=None, eos_token_id=None,
                                         pad_token_id=None))
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(1 + 0.2 * torch.randn_like(value) if "norm" in name else torch.randn_like(value) / value.shape[-1] ** 0.5)
    return model.eval()


def write_bundle(out: pathlib.Path, tokenizer: pathlib.Path, model: Qwen3ForCausalLM) -> None:
    (out / "planner").mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out / "planner")
    (out / "planner/generation_config.json").unlink(missing_ok=True)
    shutil.copy(tokenizer, out / "planner/tokenizer.json")
    (out / "world.json").write_text(editions.text(editions.world()))
    (out / "fabula.json").write_text(json.dumps({
        "format": "fabula.bundle/1", "name": "golden", "version": "0", "license": "CC0-1.0", "family": "h3", "tap_layer": TAP_LAYER, "fps": 12,
        "sample_rate": 16000,
        "audio_channels": 1, "canvas": editions.world()["canvas"], "shot_frames": editions.world()["shot_frames"], "steps": 12, "prediction_type": "x0",
        "files": {}}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = tokens.Vocabulary(given.tokenizer)
    model = random_planner(vocabulary.size)
    write_bundle(given.out, given.tokenizer, model)

    rng, streams, states = np.random.default_rng(SEED), [], {}
    for i in range(STREAMS):
        prompt, plan = grammar_prompts.sample_plan(rng)
        encoded = tokens.encode_plan(vocabulary, prompt, plan)
        streams.append({"prompt": prompt, "plan": plan, "ids": encoded.ids,
                        "shots": [{"rows": rows, "sounds": sounds, "starts": starts} for rows, sounds, starts in encoded.shots]})
        if i < 2:
            with torch.no_grad():
                hidden = model.model(input_ids=torch.tensor([encoded.ids]), output_hidden_states=True).hidden_states
            states[f"state.{i}"] = hidden[TAP_LAYER][0].contiguous()
    greedy = []
    for prompt, lines in GREEDY:
        plan, stream = planner_decode.decode(model, vocabulary, prompt, lines)
        greedy.append({"prompt": prompt, "lines": lines, "plan": plan, "ids": [int(i) for i in stream.ids]})
    save_file(states, given.out / "states.safetensors")
    (given.out / "plans.json").write_text(json.dumps({"streams": streams, "greedy": greedy}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
