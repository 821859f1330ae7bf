"""Makes a MiniMax-H3 folder in the published layout, of any size and with random weights, to measure speed and memory where the real one is not at hand.

    make_h3_shape.py OUT [--hidden 1344] [--heads 14] [--head-dim 96] [--ffn 3584] [--time-embed 2688] [--layers 8] [--dtype bf16|fp32]
                         [--encoder-hidden 64] [--encoder-ffn 128] [--from FOLDER]

Everything but the transformer and the text encoder comes from FOLDER, by default the tiny folder of tests/goldens. MiniMax-H3's own sizes: --hidden 5376
--heads 56 --head-dim 128 --ffn 14336 --time-embed 2688 --layers 50 --encoder-hidden 5120 --encoder-ffn 25600. Prints how many bytes the transformer has, how
many of them belong to one block and to its modulation, and how many the text encoder has.
"""

import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np

TINY = Path(__file__).parent.parent.parent / "tests/goldens/h3_folder/model"
POOL = np.random.default_rng(1).standard_normal(1 << 22, dtype=np.float32)  # the values of all tensors, each from an offset of its own
SIZES = {"F32": 4, "BF16": 2}


def bytes_of(values, dtype):
    """Float32 values as bytes of a file; bf16 drops the lower half of the mantissa instead of rounding."""
    return values.tobytes() if dtype == "F32" else (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def write(file, tensors):
    """Writes a safetensors file of random values and returns the size of its tensors in bytes. tensors: name -> (dtype, shape).

    Matrices have variance 1 / inputs, so that what passes through them keeps its size; gains are near 1."""
    header, at = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = int(np.prod(shape)) * SIZES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name, (dtype, shape) in tensors.items():
            left, place = int(np.prod(shape)), hash_of(name) % POOL.size
            is_gain = len(shape) == 1 and name.endswith("weight")
            pool = np.roll(POOL, -place) * np.float32(0.05 if len(shape) == 1 else shape[-1] ** -0.5) + np.float32(is_gain)
            whole = bytes_of(pool, dtype)
            for begin in range(0, left, pool.size):
                out.write(whole[: min(pool.size, left - begin) * SIZES[dtype]])
    return at


def hash_of(name):
    """A tensor's offset in the pool, to be reduced modulo its size."""
    return sum((i + 1) * 7919 * ord(c) for i, c in enumerate(name))


def block_of(prefix, o, dtype, is_refiner):
    """The tensors of one block of the transformer or of its text refiner, which is not modulated: name -> (dtype, shape)."""
    inner = o.heads * o.head_dim
    tensors = {
        "norm1.weight": [o.hidden],
        "attn.to_q.weight": [inner, o.hidden],
        "attn.to_k.weight": [inner, o.hidden],
        "attn.to_v.weight": [inner, o.hidden],
        "attn.norm_q.weight": [o.head_dim],
        "attn.norm_k.weight": [o.head_dim],
        "attn.to_out.0.weight": [o.hidden, inner],
        "norm2.weight": [o.hidden],
        "ff.net.0.proj.weight": [2 * o.ffn, o.hidden],
        "ff.net.2.weight": [o.hidden, o.ffn],
    }
    if not is_refiner:
        tensors |= {"adaln_proj.linear.weight": [18 * o.hidden, o.time_embed], "adaln_proj.linear.bias": [18 * o.hidden]}
    return {prefix + name: (dtype, shape) for name, shape in tensors.items()}


def transformer_of(config, o, dtype):
    """All tensors of the transformer: name -> (dtype, shape). The projections in and out and the time embedder stay in float32."""

    def linear(name, inputs, outputs, kind):
        return {name + ".weight": (kind, [outputs, inputs]), name + ".bias": (kind, [outputs])}

    patch = config["in_channels"] * int(np.prod(config["patch_size"]))
    tensors = linear("proj_in", patch, o.hidden, "F32") | linear("audio_proj_in", config["audio_in_channels"], o.hidden, "F32")
    tensors |= linear("context_embedder", config["text_dim"], o.hidden, dtype)
    tensors |= linear("time_embedder.linear_1", config["freq_dim"], config["time_embed_hidden_dim"], "F32")
    tensors |= linear("time_embedder.linear_2", config["time_embed_hidden_dim"], o.time_embed, "F32")
    for i in range(config["num_refiner_layers"]):
        tensors |= block_of(f"token_refiner.refiner_blocks.{i}.", o, dtype, True)
    tensors["token_refiner.final_norm.weight"] = (dtype, [o.hidden])
    for i in range(o.layers):
        tensors |= block_of(f"transformer_blocks.{i}.", o, dtype, False)
    tensors["norm_out.norm.weight"] = (dtype, [o.hidden])
    tensors |= linear("norm_out.linear", o.time_embed, 2 * o.hidden, dtype)
    return tensors | linear("proj_out", o.hidden, patch, "F32") | linear("audio_proj_out", o.hidden, config["audio_in_channels"], "F32")


def encoder_of(tiny, o):
    """The tiny encoder's tensors, name -> (dtype, shape), with the hidden and feed-forward sizes of its language model widened."""
    config = tiny["config"]["text_config"]
    widths = {config["hidden_size"]: o.encoder_hidden, config["intermediate_size"]: o.encoder_ffn}

    def widened(name, shape):
        """A tensor's shape at the new sizes. In the vision tower only the mergers' last layers reach the language model's hidden size."""
        if name.startswith("model.visual."):
            goes_out = name.split(".")[2].endswith(("merger", "merger_list")) and "linear_fc2" in name
            return [o.encoder_hidden, *shape[1:]] if goes_out else shape
        return [widths.get(size, size) for size in shape]

    return {name: (about["dtype"], widened(name, about["shape"])) for name, about in tiny["tensors"].items()}


def header_of(file):
    """The tensors of a safetensors file without their values: name -> {dtype, shape, data_offsets}."""
    with open(file, "rb") as data:
        return {k: v for k, v in json.loads(data.read(struct.unpack("<Q", data.read(8))[0])).items() if k != "__metadata__"}


def main():
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="source", type=Path, default=TINY)
    sizes = {"hidden": 1344, "heads": 14, "head-dim": 96, "ffn": 3584, "time-embed": 2688, "layers": 8, "encoder-hidden": 64, "encoder-ffn": 128}
    for name, value in sizes.items():
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
    o = parser.parse_args()
    dtype = {"bf16": "BF16", "fp32": "F32"}[o.dtype]
    shutil.copytree(o.source, o.out, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("transformer_ref", "*.safetensors"))
    for part in ("vae", "audio_vae"):
        for file in (o.source / part).glob("*.safetensors"):
            shutil.copyfile(file, o.out / part / file.name)

    config = json.loads((o.source / "transformer/config.json").read_text())
    config |= {"hidden_size": o.hidden, "num_attention_heads": o.heads, "attention_head_dim": o.head_dim, "ffn_dim": o.ffn, "num_layers": o.layers}
    config |= {"time_embed_dim": o.time_embed, "time_embed_hidden_dim": o.time_embed, "text_dim": o.encoder_hidden}
    (o.out / "transformer/config.json").write_text(json.dumps(config, indent=1))
    total = write(o.out / "transformer/diffusion_pytorch_model.safetensors", transformer_of(config, o, dtype))

    tiny = {"config": json.loads((o.source / "text_encoder/config.json").read_text()), "tensors": header_of(o.source / "text_encoder/model.safetensors")}
    tensors = encoder_of(tiny, o)
    tiny["config"]["text_config"] |= {"hidden_size": o.encoder_hidden, "intermediate_size": o.encoder_ffn}
    tiny["config"]["vision_config"]["out_hidden_size"] = o.encoder_hidden
    (o.out / "text_encoder/config.json").write_text(json.dumps(tiny["config"], indent=1))
    encoder = write(o.out / "text_encoder/model.safetensors", tensors)

    block = sum(int(np.prod(shape)) for _, shape in block_of("", o, dtype, False).values()) * SIZES[dtype]
    modulation = 18 * o.hidden * (o.time_embed + 1) * SIZES[dtype]
    print(f"transformer {total} bytes, a block {block}, of it modulation {modulation}; text encoder {encoder} bytes")


if __name__ == "__main__":
    main()
