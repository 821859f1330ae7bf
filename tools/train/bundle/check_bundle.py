"""Checks that a bundle (docs/BUNDLE.md) is complete and that each part loads and runs in its own library.

    python tools/train/run.py check-bundle FOLDER

Prints one line per part; exits with 0 only if every part passes.
"""
import argparse
import hashlib
import json
import pathlib
import sys

import diffusers
import torch
import transformers
from diffusers import AutoencoderKLMiniMaxH3, AutoencoderKLMiniMaxH3Audio, MiniMaxH3Scheduler, MiniMaxH3Transformer3DModel
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from bundle.export import UNLISTED
from networks import layout

FIELDS = ("format", "name", "version", "license", "family", "tap_layer", "fps", "sample_rate", "audio_channels", "canvas", "shot_frames", "steps",
          "prediction_type", "files")


def require(condition: bool, message: str) -> None:
    """Raises ValueError(message) unless the condition holds."""
    if not condition:
        raise ValueError(message)


def read(path: pathlib.Path) -> dict:
    """A JSON file."""
    return json.loads(path.read_text())


def whole(model_class, folder: pathlib.Path):
    """The model of a folder, in evaluation mode. Requires that the file provides every weight of the model, that every tensor of it is used, and that all are
    finite."""
    model, info = model_class.from_pretrained(folder, output_loading_info=True)
    missing = [name for name in info["missing_keys"] if name != "lm_head.weight"]  # tied to the embeddings
    require(not missing and not info["unexpected_keys"], f"missing {missing}, unexpected {list(info['unexpected_keys'])}")
    for name, value in model.state_dict().items():
        require(bool(torch.isfinite(value).all()), f"{name} is not finite")
    return model.float().eval().requires_grad_(False)


def shape_of(result: torch.Tensor, expected: tuple) -> None:
    """Requires this shape and finite values."""
    require(tuple(result.shape) == expected, f"gave shape {tuple(result.shape)}, expected {expected}")
    require(bool(torch.isfinite(result).all()), "gave values that are not finite")


def parameters(model) -> str:
    """The number of parameters, as text."""
    return f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters"


# ---- the parts; each returns the text of its line

def check_files(root: pathlib.Path) -> str:
    """fabula.json has all fields, its hashes match, and no file is unlisted."""
    meta = read(root / "fabula.json")
    absent = [field for field in FIELDS if field not in meta]
    require(not absent, f"fabula.json lacks {absent}")
    require(meta["format"] == "fabula.bundle/1", f"format is {meta['format']!r}")
    require(meta["prediction_type"] in ("x0", "velocity"), f"prediction_type is {meta['prediction_type']!r}")
    for name, digest in meta["files"].items():
        require((root / name).is_file(), f"{name} is missing")
        require(hashlib.sha256((root / name).read_bytes()).hexdigest() == digest, f"{name} does not match its sha256")
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "training" not in path.relative_to(root).parts} - UNLISTED
    require(found <= set(meta["files"]), f"not listed in fabula.json: {sorted(found - set(meta['files']))}")
    size = sum((root / name).stat().st_size for name in meta["files"])
    return f"{len(meta['files'])} files, {size / 1e6:.1f} MB, hashes right"


def check_world(root: pathlib.Path) -> str:
    """world.json, voices.json and fabula.json agree."""
    meta, world, voices = read(root / "fabula.json"), read(root / "world.json"), read(root / "voices.json")
    for field in ("fps", "canvas", "shot_frames"):
        require(meta[field] == world[field], f"fabula.json and world.json differ in {field}")
    fields = {"id", "flite", "tempo", "pitch", "description"}
    require(all(fields <= set(voice) for voice in voices["voices"]), f"a voice lacks one of {sorted(fields)}")
    require([v["id"] for v in voices["voices"]] == [v["id"] for v in world["voices"]], "voices.json and world.json name different voices")
    return f"{len(world['actors'])} actors, {len(world['places'])} places, {len(world['actions'])} actions, {len(voices['voices'])} voices"


def check_tokenizer(root: pathlib.Path) -> str:
    """Special tokens are single tokens, texts round-trip, and the vocabulary fits the embeddings."""
    path, world = str(root / "planner/tokenizer.json"), read(root / "world.json")
    tokenizer, fast = Tokenizer.from_file(path), PreTrainedTokenizerFast(tokenizer_file=path)
    special = ["<|im_start|>", "<|im_end|>", "<|score|>", "<|/score|>"]
    special += [f"<|ph:{p}|>" for p in world["phones"]] + [f"<|snd:{s}|>" for s in world["sounds"]]
    for token in special:
        identity = tokenizer.token_to_id(token)
        require(identity is not None and tokenizer.encode(token, add_special_tokens=False).ids == [identity], f"{token} is not one token")
    for text in ("A fox runs through a forest at night.", "naïve “quotes”, 42 ☾\n\t{}"):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        require(tokenizer.decode(ids, skip_special_tokens=False) == text, f"{text!r} does not come back")
        require(fast(text, add_special_tokens=False)["input_ids"] == ids, "transformers and tokenizers disagree")
    vocabulary = read(root / "planner/config.json")["vocab_size"]
    require(tokenizer.get_vocab_size() <= vocabulary, f"{tokenizer.get_vocab_size()} tokens for {vocabulary} embeddings")
    return f"{tokenizer.get_vocab_size()} tokens, {len(special)} special ones of the world"


def check_planner(root: pathlib.Path) -> str:
    """The planner runs and has the tap layer."""
    model, tap = whole(Qwen3ForCausalLM, root / "planner"), read(root / "fabula.json")["tap_layer"]
    require(0 <= tap <= model.config.num_hidden_layers, f"tap_layer {tap} of {model.config.num_hidden_layers} layers")
    result = model(torch.tensor([[1, 2, 3]]), output_hidden_states=True)
    shape_of(result.logits, (1, 3, model.config.vocab_size))
    shape_of(result.hidden_states[tap], (1, 3, model.config.hidden_size))
    return f"{parameters(model)}, {model.config.num_hidden_layers} layers, tap {tap}"


def check_transformer(root: pathlib.Path) -> str:
    """The transformer matches the other parts' widths and runs on a small sequence."""
    model, c = whole(MiniMaxH3Transformer3DModel, root / "transformer"), read(root / "transformer/config.json")
    meta, planner = read(root / "fabula.json"), read(root / "planner/config.json")
    require(c["text_dim"] == planner["hidden_size"], f"text_dim {c['text_dim']}, the planner's states are {planner['hidden_size']} wide")
    require(c["in_channels"] == read(root / "vae/config.json")["latent_channels"], "in_channels is not the video autoencoder's")
    require(c["audio_in_channels"] == read(root / "audio_vae/config.json")["latent_channels"], "audio_in_channels is not the audio autoencoder's")
    patch, audio, rows, text = c["patch_size"], 5, 4, 3
    positions = layout.positions(text, [], 1, 2 * patch[1], 2 * patch[2], audio, meta["fps"])
    index = torch.arange(text + audio + rows)
    tags = torch.tensor([layout.TEXT] * text + [layout.AUDIO] * audio + [layout.VIDEO] * rows)
    result = model(hidden_states=torch.randn(1, rows, c["in_channels"] * patch[1] * patch[2]),
                   audio_hidden_states=torch.randn(1, audio, c["audio_in_channels"]),
                   encoder_hidden_states=torch.randn(1, text, c["text_dim"]), timestep=torch.tensor([0.5]), timestep_indices=torch.zeros_like(tags),
                   token_tags=tags, position_ids=positions, text_indices=index[:text], audio_indices=index[text:text + audio],
                   video_indices=index[text + audio:])
    shape_of(result.sample, (1, rows, c["in_channels"] * patch[1] * patch[2]))
    shape_of(result.audio_sample, (1, audio, c["audio_in_channels"]))
    return f"{parameters(model)}, {c['num_layers']} layers of {c['hidden_size']}"


def check_vae(root: pathlib.Path) -> str:
    """The video autoencoder matches the canvas and the shot length, encodes and decodes."""
    model, canvas = whole(AutoencoderKLMiniMaxH3, root / "vae"), read(root / "fabula.json")["canvas"]
    c, ratio = model.config, 1
    for factor in c.spatial_downsample_factors:
        ratio *= factor
    patch = read(root / "transformer/config.json")["patch_size"]
    require(not canvas[0] % (ratio * patch[2]) and not canvas[1] % (ratio * patch[1]), f"canvas {canvas} is no multiple of {ratio} x {patch[1:]}")
    require(len(c.latents_mean) == len(c.latents_std) == c.latent_channels, "latents_mean or latents_std have another length")
    frames = read(root / "fabula.json")["shot_frames"][0]
    moments = model.encode(torch.randn(1, 3, frames, 8 * ratio, 8 * ratio)).latent_dist
    latents = moments.mode()
    require(latents.shape[1] == c.latent_channels and latents.shape[3:] == (8, 8), f"latents {tuple(latents.shape)}")
    shape_of(model.decode(latents).sample, (1, 3, frames, 8 * ratio, 8 * ratio))
    return f"{parameters(model)}, {ratio} x, {c.latent_channels} channels, {frames} frames -> {latents.shape[2]} latents"


def check_audio_vae(root: pathlib.Path) -> str:
    """The audio autoencoder matches the sample rate and the rotary clock, encodes and decodes."""
    model, meta = whole(AutoencoderKLMiniMaxH3Audio, root / "audio_vae"), read(root / "fabula.json")
    c = model.config
    require(c.sampling_rate == meta["sample_rate"], f"sampling_rate {c.sampling_rate}, fabula.json says {meta['sample_rate']}")
    require(c.sampling_rate == model.hop_length * layout.TICKS, f"{c.sampling_rate / model.hop_length} latents a second, expected {layout.TICKS}")
    require(len(c.latents_mean) == len(c.latents_std) == c.latent_channels, "latents_mean or latents_std have another length")
    latents = model.encode(torch.randn(1, 1, 9 * model.hop_length + 7) * 0.1).latent_dist.mode()
    shape_of(latents, (1, c.latent_channels, 10))
    shape_of(model.decode(latents).sample, (1, 1, 10 * model.hop_length))
    return f"{parameters(model)}, {c.sampling_rate} Hz, {c.latent_channels} channels"


def check_schedulers(root: pathlib.Path) -> str:
    """Both schedulers give as many evaluations as fabula.json's `steps`."""
    steps, said = read(root / "fabula.json")["steps"], []
    for name in ("scheduler", "audio_scheduler"):
        scheduler = MiniMaxH3Scheduler.from_pretrained(root / name)
        scheduler.set_timesteps(steps + 1)
        require(len(scheduler.timesteps) == steps, f"{name}: {len(scheduler.timesteps)} evaluations for {steps} steps")
        said.append(f"{name} shift {scheduler.shift:g}")
    return ", ".join(said)


PARTS = {"files": check_files, "world": check_world, "tokenizer": check_tokenizer, "planner": check_planner, "transformer": check_transformer,
         "vae": check_vae, "audio_vae": check_audio_vae, "schedulers": check_schedulers}


@torch.no_grad()
def check(root: pathlib.Path) -> bool:
    """Prints one line per part; True if all pass."""
    diffusers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    passed = True
    for name, run in PARTS.items():
        try:
            print(f"{name:12} ok      {run(root)}")
        except Exception as error:  # a broken bundle can fail anywhere in three libraries; report every part
            passed = False
            print(f"{name:12} FAILED  {type(error).__name__}: {error}".replace("\n", " "))
    return passed


def main():
    """`run.py check-bundle`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    sys.exit(0 if check(parser.parse_args().bundle) else 1)
