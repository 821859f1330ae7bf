"""Makes tests/goldens/transformer_lora: LoRA files as diffusers writes and reads them, fused into the small transformer of transformer_patch4.

    python tools/goldens/dump_lora.py     (diffusers, peft, torch; CPU, float32)

Three files: one with mixed ranks and no alpha, one with an alpha for all pairs in the file's metadata, and one with diffusers' own adapter metadata. Each case
runs the inputs of transformer_patch4/case_mono through diffusers' loader (MiniMaxH3LoraLoaderMixin.lora_state_dict, load_lora_adapter, fuse_lora).
"""

import importlib.metadata
import json
import pathlib

import torch
from diffusers import MiniMaxH3Transformer3DModel
from diffusers.loaders import MiniMaxH3LoraLoaderMixin
from safetensors import safe_open
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/goldens"
OUT, BASE = ROOT / "transformer_lora", ROOT / "transformer_patch4"
PREFIX = "transformer."


def layers(model, targets, ranks, seed):
    """Random pairs for the modules `targets`: lora_A [rank, inputs] and lora_B [outputs, rank]. `ranks` are used in turn."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for i, name in enumerate(targets):
        weight, rank = model.get_submodule(name).weight, ranks[i % len(ranks)]
        tensors[f"{PREFIX}{name}.lora_A.weight"] = torch.randn(rank, weight.shape[1], generator=generator) / weight.shape[1] ** 0.5
        tensors[f"{PREFIX}{name}.lora_B.weight"] = torch.randn(weight.shape[0], rank, generator=generator) / rank**0.5
    return tensors


def fused(files):
    """The model with LoRA files fused into it. files: [(name, scale)]."""
    model = MiniMaxH3Transformer3DModel.from_pretrained(BASE).eval()
    for i, (name, _) in enumerate(files):
        state, metadata = MiniMaxH3LoraLoaderMixin.lora_state_dict(str(OUT), weight_name=name, return_lora_metadata=True)
        model.load_lora_adapter(state, prefix="transformer", adapter_name=f"a{i}", metadata=metadata)
    model.set_adapters([f"a{i}" for i in range(len(files))], weights=[scale for _, scale in files])
    model.fuse_lora()
    return model


def dump(name, files):
    """Writes one case: the reference's outputs with `files` fused, as in `fused`. Prints how far they move the output."""
    with safe_open(BASE / "case_mono.safetensors", "pt") as case:
        inputs = {k: case.get_tensor(k) for k in case.keys() if k.startswith("in.")}  # noqa: SIM118
    model = fused(files)
    arguments = {k.removeprefix("in."): v for k, v in inputs.items()}
    with torch.no_grad():
        out = model(**arguments, return_dict=True)
    made_with = {package: importlib.metadata.version(package) for package in ("diffusers", "peft", "torch")}
    loras = [f"{file}:{scale}" for file, scale in files]
    about = {"part": "transformer", "audio_channels": 1, "what": "fused LoRA files", "lora": loras, "made_with": made_with}
    outputs = {"out.sample": out.sample.contiguous(), "out.audio_sample": out.audio_sample.contiguous()}
    save_file(inputs | outputs, OUT / f"case_{name}.safetensors", {"case": json.dumps(about)})
    plain = load_file(BASE / "case_mono.safetensors")["out.sample"]
    print(name, "moves the output by", (out.sample - plain).abs().max().item(), "of", plain.abs().max().item())


def main():
    """Writes the adapters and the cases."""
    OUT.mkdir(exist_ok=True)
    (OUT / "weights.json").write_text(json.dumps({"folder": "../transformer_patch4"}) + "\n")
    model = MiniMaxH3Transformer3DModel.from_pretrained(BASE)
    block = "transformer_blocks.{}."
    wide = [block.format(i) + name for i in (0, 2) for name in ("attn.to_q", "attn.to_out.0", "ff.net.0.proj", "ff.net.2", "adaln_proj.linear")]
    wide += ["token_refiner.refiner_blocks.1.attn.to_v", "context_embedder", "proj_in", "norm_out.linear", "time_embedder.linear_1"]
    save_file(layers(model, wide, [4, 2], 1), OUT / "mixed.safetensors", {"format": "pt"})
    narrow = [block.format(1) + "attn.to_k", block.format(1) + "ff.net.2"]
    save_file(layers(model, narrow, [2, 4], 2), OUT / "alpha.safetensors", {"format": "pt", "alpha": "3"})
    first, second = block.format(0) + "attn.to_k", block.format(1) + "attn.to_v"
    own = {"r": 4, "lora_alpha": 6, "rank_pattern": {second: 2}, "alpha_pattern": {second: 5}, "use_rslora": False, "target_modules": [first, second]}
    save_file({k: v.bfloat16() for k, v in layers(model, own["target_modules"], [4, 2], 3).items()}, OUT / "own.safetensors",
              {"format": "pt", "lora_adapter_metadata": json.dumps({PREFIX + k: v for k, v in own.items()})})
    dump("mixed", [("mixed.safetensors", 0.75)])
    dump("alpha_and_own", [("alpha.safetensors", 1.0), ("own.safetensors", -0.5)])


if __name__ == "__main__":
    main()
