"""Dumps small random checkpoints in the layout of published ones, and what transformers makes of conversations and pictures with them.

    python dump_checkpoints.py TOKENIZER_JSON OUT

OUT/{qwen3,qwen3_moe,qwen3_vl}: models in bfloat16 with the tokenizer's vocabulary, the sparse one in shards. OUT/tokenizer.json: the given tokenizer with the
two tokens of thinking added. OUT/chat.json: conversations as apply_chat_template renders them, text and ids; the templates are ours and render these
conversations as those of Qwen3, Qwen3 Instruct, Qwen3 Thinking and Qwen3-VL do. OUT/pictures.safetensors: pictures of random pixels (in.I) and what
Qwen2VLImageProcessor makes of them (out.I, grid.I) with OUT/qwen3_vl/preprocessor_config.json.
"""
import argparse
import json
import pathlib
import shutil

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

SEED, VOCABULARY, CONTEXT = 20261126, 768, 16384

TURNS = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.content is string %}{{- message.content }}{%- else %}
        {%- for part in message.content %}
            {%- if part.type == 'image' %}{{- '<|vision_start|><|image_pad|><|vision_end|>' }}{%- else %}{{- part.text }}{%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}OPENING{%- endif %}"""
OPENINGS = {
    "none": "",
    "on_request": "{%- if enable_thinking is defined and not enable_thinking %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}",
    "always": "{{- '<think>\\n' }}",
}
QUESTIONS = [
    {"system": "", "user": "A fox runs."},
    {"system": "You direct films.\nOnly these can be filmed: a fox, a crab.", "user": "Zwei Füchse -- it's raining! \"Really?\" <b>42</b>"},
    {"system": "Be brief.", "user": "What is on this picture?", "image_rows": 1},
]


def write_tokenizer(source: pathlib.Path, file: pathlib.Path) -> None:
    """Writes the tokenizer with the special tokens <think> and </think> added."""
    tokenizer = json.loads(source.read_text())
    for content in ("<think>", "</think>"):
        taken = [token["id"] for token in tokenizer["added_tokens"]] + list(tokenizer["model"]["vocab"].values())
        tokenizer["added_tokens"].append({"id": max(taken) + 1, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                                          "special": False})
    file.write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n")


def conversations(tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """Each of QUESTIONS through each template, with thinking disabled."""
    cases = []
    for thinking, opening in OPENINGS.items():
        template = TURNS.replace("OPENING", opening)
        for question in QUESTIONS:
            user = question["user"] if not question.get("image_rows") else [{"type": "image"}, {"type": "text", "text": question["user"]}]
            messages = [{"role": "system", "content": question["system"]}] if question["system"] else []
            messages.append({"role": "user", "content": user})
            text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True, enable_thinking=False)
            if thinking == "always":  # the template opens the block; it is closed at once
                text += "\n</think>\n\n"
            cases.append({"thinking": thinking, "template": template, **question, "text": text, "ids": tokenizer.encode(text, add_special_tokens=False)})
    return cases


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    """The model in bfloat16 with random weights: no parameter keeps its default, and logits differ enough for a clear greedy choice."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            fan_in = value[0].numel() if value.dim() != 3 else value.shape[-1]
            value.copy_(0.2 * torch.randn_like(value) + (0 if "bias" in name else 1) if value.dim() == 1 else torch.randn_like(value) / fan_in**0.5)
    return model.to(torch.bfloat16).eval()


def models(token) -> dict[str, torch.nn.Module]:
    """{name of the folder: model}. `token` maps a special token to its id."""
    size = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
            "intermediate_size": 48, "max_position_embeddings": CONTEXT, "tie_word_embeddings": True}
    rope = {"rope_theta": 1000000.0, "rope_type": "default"}
    ends = {"eos_token_id": token("<|im_end|>"), "bos_token_id": token("<|endoftext|>"), "pad_token_id": None}
    vision = {"depth": 2, "hidden_size": 24, "intermediate_size": 40, "num_heads": 2, "in_channels": 3, "patch_size": 4, "temporal_patch_size": 2,
              "spatial_merge_size": 2,
              "out_hidden_size": 32, "num_position_embeddings": 25, "deepstack_visual_indexes": [0]}
    text = size | {"rope_parameters": rope | {"mrope_interleaved": True, "mrope_section": [4, 2, 2]}, "pad_token_id": None,
                   "eos_token_id": ends["eos_token_id"]}
    return {
        "qwen3": Qwen3ForCausalLM(Qwen3Config(**size, **ends, rope_parameters=rope)),
        "qwen3_moe": Qwen3MoeForCausalLM(Qwen3MoeConfig(**size, **ends, rope_parameters=rope, moe_intermediate_size=24, num_experts=4, num_experts_per_tok=2,
                                                        norm_topk_prob=True)),
        "qwen3_vl": Qwen3VLForConditionalGeneration(Qwen3VLConfig(
            text_config=text, vision_config=vision, image_token_id=token("<|image_pad|>"), video_token_id=token("<|video_pad|>"),
            vision_start_token_id=token("<|vision_start|>"),
            vision_end_token_id=token("<|vision_end|>"), tie_word_embeddings=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    out = given.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_tokenizer(given.tokenizer, out / "tokenizer.json")
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(out / "tokenizer.json"))
    (out / "chat.json").write_text(json.dumps({"made_with": {"transformers": transformers.__version__}, "cases": conversations(tokenizer)}, ensure_ascii=False,
                                              indent=1) + "\n")

    for name, model in models(tokenizer.convert_tokens_to_ids).items():
        randomised(model).save_pretrained(out / name, max_shard_size="60KB" if name == "qwen3_moe" else "1GB")
        stops = [tokenizer.convert_tokens_to_ids(token) for token in ("<|im_end|>", "<|endoftext|>")]
        (out / name / "generation_config.json").write_text(json.dumps({"eos_token_id": stops, "do_sample": True}) + "\n")

    processor = Qwen2VLImageProcessorPil(patch_size=4, temporal_patch_size=2, merge_size=2, size={"shortest_edge": 32 * 32, "longest_edge": 96 * 64},
                                         image_mean=[0.5, 0.45, 0.4], image_std=[0.5, 0.25, 0.3])
    processor.save_pretrained(out / "qwen3_vl")
    rng, tensors = np.random.default_rng(SEED), {}
    for i, (height, width) in enumerate(((60, 70), (203, 150), (9, 14), (64, 96), (5, 400))):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        made = processor(images=[pixels], return_tensors="pt", input_data_format="channels_last")
        tensors |= {f"in.{i}": torch.from_numpy(pixels), f"out.{i}": made["pixel_values"].float().contiguous(),
                    f"grid.{i}": made["image_grid_thw"].contiguous()}
    save_file(tensors, out / "pictures.safetensors")


if __name__ == "__main__":
    main()
