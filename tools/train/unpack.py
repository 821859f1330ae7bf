"""A bundle taken apart into what the stages go on from: a fresh clone trains the shipped model further without its checkpoints.

The weights of a bundle are the averaged ones, in bfloat16; the optimizers' moments are not kept in it and start anew. Logs are taken over, so that
they and the provenance that `export` reads from them go on.
"""

import json
import shutil

import torch
from diffusers import AutoencoderKLMiniMaxH3, MiniMaxH3Transformer3DModel

import latents
from training import CACHE, save


def unpack(bundle):
    for part in ("planner", "audio_vae"):
        shutil.copytree(bundle / part, latents.BUNDLE / part, dirs_exist_ok=True)
    for log in (bundle / "training").glob("*.jsonl"):
        shutil.copy(log, CACHE)

    stages = json.loads((bundle / "fabula.json").read_text())["training"]["stages"]
    vae = AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae", torch_dtype=torch.float32)
    statistics = list(vae.config.latents_mean), list(vae.config.latents_std)
    for name in ("video_vae_frozen", "video_vae_final"):
        save(CACHE / f"{name}.pt", average=vae.state_dict(), latents=statistics, step=stages["video_vae"]["step"])

    transformer = MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer", torch_dtype=torch.float32)
    c = transformer.config
    weights = transformer.state_dict()
    save(CACHE / "dit.pt", model=weights, average={n: p.clone() for n, p in weights.items()}, step=stages["dit"]["step"],
         shape=(c.text_dim, c.audio_in_channels, c.in_channels))
