"""Dumps GGUF files, and what the Python package gguf 0.19.0 reads from them.

    python dump_gguf.py GOLDENS

GOLDENS/gguf/blocks.gguf holds random bytes in each number type, blocks.safetensors their values by gguf.quants.dequantize. Beside them are the models of
dump_families.py as GGUF files: qwen2 in F16, smollm2 in F32 with queries and keys in Q8_0, llama3 in BF16. As llama.cpp's converter does, the latter two have
the rows of queries and keys interleaved, and llama3 has the divisors of its rotary frequencies.
"""
import argparse
import json
import math
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import load_file, save_file

SEED = 20261130
# Byte offsets of the float16 scales in a block.
SCALES = {Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q8_0: [0], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}
STEMS = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down"}
PRE = {"qwen2": "qwen2", "smollm2": "smollm", "llama3": "llama-bpe"}


def random_blocks(rng: np.random.Generator, kind: Type, rows: int, blocks: int) -> np.ndarray:
    """Random bytes [rows, blocks * bytes per block] of a quantised type, with finite scales."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows * blocks, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = (rng.standard_normal(rows * blocks) * 10.0 ** rng.integers(-7, 2, rows * blocks)).astype(np.float16)  # some are subnormal
        data[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return data.reshape(rows, blocks * size)


def dump_blocks(out: pathlib.Path) -> None:
    """Writes blocks.gguf and blocks.safetensors: three rows of every number type, of two blocks of 256 values or nine of 32 if the type has blocks."""
    rng, values = np.random.default_rng(SEED), {}
    writer = gguf.GGUFWriter(out / "blocks.gguf", "llama")
    for kind in SCALES:
        data = random_blocks(rng, kind, 3, 2 if gguf.GGML_QUANT_SIZES[kind][0] == 256 else 9)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        values[kind.name] = gguf.quants.dequantize(data, kind)
    for kind in (Type.F32, Type.F16, Type.BF16):
        data = gguf.quants.quantize(rng.standard_normal((3, 8)).astype(np.float32), kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        values[kind.name] = gguf.quants.dequantize(data, kind)
    write(writer)
    save_file(values, out / "blocks.safetensors")


def write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key projection in llama.cpp's order: `LlamaModel.permute` of convert_hf_to_gguf.py."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def divisors(rope: dict, width: int) -> np.ndarray:
    """What Llama 3's rope scaling divides each rotary frequency by: float32 [width / 2], `rope_freqs.weight` of llama.cpp."""
    values = []
    for i in range(0, width, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / width)
        kept = (rope["original_max_position_embeddings"] / wavelength - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
        kept = min(max(kept, 0.0), 1.0)
        values.append(1 / ((1 - kept) / rope["factor"] + kept))
    return np.array(values, dtype=np.float32)


def add_tokenizer(writer: gguf.GGUFWriter, folder: pathlib.Path) -> None:
    """Adds the folder's tokenizer and chat template as metadata."""
    parsed = json.loads((folder / "tokenizer.json").read_text())
    added = {token["id"]: token for token in parsed["added_tokens"]}
    texts = {id_: text for text, id_ in parsed["model"]["vocab"].items()} | {id_: token["content"] for id_, token in added.items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE[folder.name])
    writer.add_token_list([texts[i] for i in range(len(texts))])
    writer.add_token_types([gguf.TokenType.CONTROL if i in added else gguf.TokenType.NORMAL for i in range(len(texts))])
    writer.add_token_merges([" ".join(merge) for merge in parsed["model"]["merges"]])
    writer.add_chat_template(json.loads((folder / "tokenizer_config.json").read_text())["chat_template"])
    writer.add_eos_token_id(json.loads((folder / "generation_config.json").read_text())["eos_token_id"][0])


def dump_model(goldens: pathlib.Path, name: str, kind: Type, out: pathlib.Path) -> None:
    """Writes the folder's model as OUT/NAME.gguf with matrices of type `kind`; norms and biases stay in F32."""
    folder = goldens / name
    config, llama = json.loads((folder / "config.json").read_text()), name != "qwen2"
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    writer = gguf.GGUFWriter(out / f"{name}.gguf", "llama" if llama else "qwen2")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    if llama:
        writer.add_rope_dimension_count(width)
    add_tokenizer(writer, folder)
    if config["rope_parameters"]["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", divisors(config["rope_parameters"], width))
    for full, weight in load_file(folder / "model.safetensors").items():
        stem, ending = full.removeprefix("model.").rsplit(".", 1)
        if stem.startswith("layers."):
            _, layer, stem = stem.split(".", 2)
            name_there = f"blk.{layer}.{STEMS[stem]}"
        else:
            name_there = {"embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output"}[stem]
        if llama and stem.endswith(("q_proj", "k_proj")):
            weight = interleaved(weight, heads if stem.endswith("q_proj") else kv_heads)
        its = Type.F32 if weight.ndim == 1 else Type.Q8_0 if kind == Type.F32 and stem.endswith(("q_proj", "k_proj")) else kind
        writer.add_tensor(f"{name_there}.{ending}", gguf.quants.quantize(np.ascontiguousarray(weight), its), raw_dtype=its)
    write(writer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("goldens", type=pathlib.Path)
    goldens = parser.parse_args().goldens
    out = goldens / "gguf"
    out.mkdir(exist_ok=True)
    dump_blocks(out)
    dump_model(goldens, "qwen2", Type.F16, out)
    dump_model(goldens, "smollm2", Type.F32, out)
    dump_model(goldens, "llama3", Type.BF16, out)


if __name__ == "__main__":
    main()
