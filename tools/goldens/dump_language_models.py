"""Dumps what transformers computes with small random language models that differ from the published ones where an engine may have overlooked something.

    python dump_language_models.py OUT

OUT/qwen3_moe_mixed: dense layers among the sparse ones, expert weights that do not add up to one, biased attention, a tied head.
OUT/qwen3_vl_images: two images of different shapes, neither that of the learned position grid, then greedy text.
"""
import argparse
import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM, Qwen3VLConfig, Qwen3VLForConditionalGeneration

SEED, GREEDY = 20261125, 8


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    """The model with random weights: no parameter keeps its default."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            fan_in = value[0].numel() if value.dim() != 3 else value.shape[-1]
            if value.dim() == 1:
                value.copy_(0.2 * torch.randn_like(value) + (0 if "bias" in name else 1))
            else:
                value.copy_(torch.randn_like(value) / fan_in**0.5)
    return model.eval()


def write_case(folder: pathlib.Path, model: torch.nn.Module, prompt: torch.Tensor, tap_layer: int, about: dict, images: dict) -> None:
    """Writes a case as golden_check reads it: prefill of `prompt` [1, n], GREEDY tokens (each from a whole prefill), and the tap layer's states of both.
    images: further arguments of the model."""
    def run(ids: torch.Tensor):
        """A forward of ids [1, n]. Their token types must cover the greedy tokens, too."""
        extra = dict(images)
        if "mm_token_type_ids" in extra:
            extra["mm_token_type_ids"] = (ids == model.config.image_token_id).long()
        with torch.no_grad():
            return model(input_ids=ids, use_cache=False, output_hidden_states=True, **extra)

    first, ids = run(prompt), prompt
    for _ in range(GREEDY):
        ids = torch.cat([ids, run(ids).logits[:, -1:].argmax(-1)], dim=1)
    tensors = {"in.input_ids": prompt, "out.logits": first.logits, "out.greedy": ids[:, prompt.shape[1]:], "out.tap_states": run(ids).hidden_states[tap_layer]}
    tensors |= {f"tap.hidden_states.{i}": state for i, state in enumerate(first.hidden_states)}
    tensors |= {f"in.{name}": value for name, value in images.items() if name != "image_grid_thw"}
    about |= {"tap_layer": tap_layer, "made_with": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}}
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, folder / "case_prefill_and_greedy.safetensors",
              {"case": json.dumps(about)})


def mixed_experts() -> Qwen3MoeForCausalLM:
    """A Qwen3-MoE of six layers, of which only 1 and 5 are sparse; the chosen experts' weights are not normalised."""
    return randomised(Qwen3MoeForCausalLM(Qwen3MoeConfig(
        vocab_size=97, hidden_size=32, intermediate_size=40, moe_intermediate_size=24, num_hidden_layers=6, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8,
        num_experts=5, num_experts_per_tok=3, norm_topk_prob=False, decoder_sparse_step=2, mlp_only_layers=[3], attention_bias=True, tie_word_embeddings=True,
        max_position_embeddings=512, rope_parameters={"rope_theta": 10000.0, "rope_type": "default"}, bos_token_id=None, eos_token_id=None, pad_token_id=None)))


def seeing() -> Qwen3VLForConditionalGeneration:
    """A Qwen3-VL whose language model also gets the image features of vision layers 0 and 2."""
    text = {"vocab_size": 97, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 512, "tie_word_embeddings": False, "pad_token_id": None,
            "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default", "mrope_interleaved": True, "mrope_section": [4, 2, 2]}}
    vision = {"depth": 3, "hidden_size": 24, "intermediate_size": 40, "num_heads": 2, "in_channels": 3, "patch_size": 2, "temporal_patch_size": 2,
              "spatial_merge_size": 2,
              "out_hidden_size": 32, "num_position_embeddings": 25, "deepstack_visual_indexes": [0, 2]}
    return randomised(Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=text, vision_config=vision, image_token_id=90, video_token_id=91,
                                                                    vision_start_token_id=92,
                                                                    vision_end_token_id=93, tie_word_embeddings=False)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    write_case(out / "qwen3_moe_mixed", mixed_experts(), torch.randint(0, 97, (1, 19)), 2,
               {"part": "qwen3_moe", "what": "layers 1 and 5 are sparse, their weights not normalised; biased attention, tied head"}, {})

    grids = [[1, 6, 4], [1, 2, 8]]
    ids: list[int] = []
    for grid in grids:
        ids += torch.randint(0, 90, (4,)).tolist() + [92] + [90] * (grid[1] * grid[2] // 4) + [93]
    ids += torch.randint(0, 90, (5,)).tolist()
    prompt = torch.tensor([ids])
    images = {"pixel_values": torch.randn(sum(grid[1] * grid[2] for grid in grids), 24), "image_grid_thw": torch.tensor(grids),
              "mm_token_type_ids": (prompt == 90).long()}
    write_case(out / "qwen3_vl_images", seeing(), prompt, 2,
               {"part": "qwen3_vl", "image_grid_thw": sum(grids, []),
                "what": "two images inside text, then greedy text; hidden_states and tap_states as for qwen3"}, images)


if __name__ == "__main__":
    main()
