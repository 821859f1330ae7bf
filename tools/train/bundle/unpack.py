"""A bundle taken apart into what the stages go on from, so that a fresh clone trains on from a bundle alone.

The weights of a bundle are the averaged ones, in bfloat16; the optimizers' moments are not kept in it and start anew. Steps are counted on from what the
bundle says of its training, and logs that lie in its training/ are taken over.
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
    """Writes into CACHE what is never trained, linear.pt and audio_features.pt, and the checkpoints of planner, autoencoders and transformer."""
    if not bundle:
        raise SystemExit("run.py unpack: --resume names the bundle")
    computed = [bundle / "training" / path.name for path in (video_vae.LINEAR, audio_vae.Features.FILE)]
    if not all(path.exists() for path in computed):
        raise SystemExit(f"{bundle} has no {' or '.join(p.name for p in computed)} in training/: nothing can be trained on from it")
    stages = json.loads((bundle / "fabula.json").read_text())["training"]["stages"]
    steps = {name: stages.get(name, {}).get("step", 0) for name in ("planner", "audio_vae", "video_vae", "dit")}
    CACHE.mkdir(parents=True, exist_ok=True)
    for path in [*computed, *(bundle / "training").glob("*.jsonl")]:
        shutil.copy(path, CACHE)
    for part in ("planner", "audio_vae"):  # shots are conditioned on the planner's states from here, and export takes both
        shutil.copytree(bundle / part, latents.BUNDLE / part, dirs_exist_ok=True)

    planner.FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copy(bundle / "planner/tokenizer.json", planner.TOKENIZER)
    model = Qwen3ForCausalLM.from_pretrained(bundle / "planner", dtype=torch.float32)
    save(planner.FOLDER / "checkpoint.pt", model={k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}, step=steps["planner"],
         tokenizer=planner.TOKENIZER.read_text())

    sound = AutoencoderKLMiniMaxH3Audio.from_pretrained(bundle / "audio_vae", torch_dtype=torch.float32)
    save(CACHE / "audio_vae.pt", **as_checkpoint(sound), step=steps["audio_vae"])

    if (bundle / "vae").exists():  # else the stage `start` makes it again from linear.pt
        vae = AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae", torch_dtype=torch.float32)
        save(video_vae.FINAL, **as_checkpoint(vae), step=steps["video_vae"], latents=(list(vae.config.latents_mean), list(vae.config.latents_std)))

    transformer = MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer", torch_dtype=torch.float32)
    c = transformer.config
    save(dit.CHECKPOINT, **as_checkpoint(transformer), step=steps["dit"], shape=(c.text_dim, c.audio_in_channels, c.in_channels))
