"""Converts a bundle into checkpoints that the stages continue from, so that training can continue from a bundle alone.

A bundle holds the averaged weights in bfloat16 and no optimizer state, so optimizers start fresh. Step counts continue from fabula.json, and the logs in
training/ are copied.
"""

import json
import shutil

import torch
from diffusers import AutoencoderKLMiniMaxH3, AutoencoderKLMiniMaxH3Audio, MiniMaxH3Transformer3DModel
from transformers import Qwen3ForCausalLM

from common.training import CACHE, save
from networks import audio_vae, dit, latents, planner, video_vae


def as_checkpoint(model):
    """{model, average}: both the weights of a loaded model."""
    weights = model.state_dict()
    return {"model": weights, "average": {name: value.clone() for name, value in weights.items()}}


def unpack(bundle):
    """Writes linear.pt, audio_features.pt and the checkpoints of planner, autoencoders and transformer into CACHE.

    Raises SystemExit if no bundle is given or it lacks the files that are never trained."""
    if not bundle:
        raise SystemExit("run.py unpack: --resume BUNDLE is required")
    computed = [bundle / "training" / path.name for path in (video_vae.LINEAR, audio_vae.Features.FILE)]
    if not all(path.exists() for path in computed):
        raise SystemExit(f"{bundle}: training/ lacks {' or '.join(p.name for p in computed)}; training cannot continue from this bundle")
    stages = json.loads((bundle / "fabula.json").read_text())["training"]["stages"]
    steps = {name: stages.get(name, {}).get("step", 0) for name in ("planner", "audio_vae", "video_vae", "dit")}
    CACHE.mkdir(parents=True, exist_ok=True)
    for path in [*computed, *(bundle / "training").glob("*.jsonl")]:
        shutil.copy(path, CACHE)
    for part in ("planner", "audio_vae"):  # the pool reads the planner from here, and export copies both
        shutil.copytree(bundle / part, latents.BUNDLE / part, dirs_exist_ok=True)

    planner.FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copy(bundle / "planner/tokenizer.json", planner.TOKENIZER)
    model = Qwen3ForCausalLM.from_pretrained(bundle / "planner", dtype=torch.float32)
    save(planner.FOLDER / "checkpoint.pt", model={k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}, step=steps["planner"],
         tokenizer=planner.TOKENIZER.read_text())

    sound = AutoencoderKLMiniMaxH3Audio.from_pretrained(bundle / "audio_vae", torch_dtype=torch.float32)
    save(CACHE / "audio_vae.pt", **as_checkpoint(sound), step=steps["audio_vae"])

    if (bundle / "vae").exists():  # else the stage `start` computes it from linear.pt
        vae = AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae", torch_dtype=torch.float32)
        save(video_vae.FINAL, **as_checkpoint(vae), step=steps["video_vae"], latents=(list(vae.config.latents_mean), list(vae.config.latents_std)))

    transformer = MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer", torch_dtype=torch.float32)
    c = transformer.config
    save(dit.CHECKPOINT, **as_checkpoint(transformer), step=steps["dit"], shape=(c.text_dim, c.audio_in_channels, c.in_channels))
