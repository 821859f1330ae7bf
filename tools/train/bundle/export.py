"""Writes the bundle (docs/BUNDLE.md): each part in its library's layout with weights in bfloat16, and fabula.json. Its training/ holds what training needs to
continue (unpack.py): linear.pt and audio_features.pt, which never change, and the logs.

    python tools/train/run.py export [--resume CHECKPOINT] [--out FOLDER]           what the stages have trained
    python tools/train/run.py export-untrained FOLDER --random [--planner DIR] [--audio-vae DIR]

The planner's and the audio autoencoder's folders are written by their own stages and copied from there. --random writes untrained video parts at their final
sizes, for engineering.
"""

import argparse
import hashlib
import json
import pathlib
import shutil

import torch
from diffusers import MiniMaxH3Scheduler
from safetensors.torch import load_file, save_file

from common.training import CACHE, MODEL, WORLD
from networks import audio_vae, dit, video_vae
from networks.planner import TAP_LAYER
from world import editions

VERSION = "0.4.0"
WEIGHTS = "diffusion_pytorch_model.safetensors"
UNLISTED = {"fabula.json", "README.md", "REPORT.md", "PLANNER.md", "STUDY.md", "LICENSE.md"}  # not hashed in fabula.json, like everything in training/


def to_bfloat16(path):
    """Rewrites a safetensors file with its floating-point tensors in bfloat16."""
    tensors = {k: v.to(torch.bfloat16).contiguous() if v.is_floating_point() else v for k, v in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def write_model(model, folder):
    """Saves a diffusers model in bfloat16."""
    model.save_pretrained(folder, safe_serialization=True)
    to_bfloat16(folder / WEIGHTS)
    clean_config(folder / "config.json")


def clean_config(path):
    """Removes machine paths from a saved config."""
    config = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("_name_or_path",)}
    path.write_text(json.dumps(config, indent=2) + "\n")


def copy_model(source, target, weights):
    """Copies a model's folder, unless it is already in place, and converts its weights to bfloat16."""
    if source.resolve() != target.resolve():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    to_bfloat16(target / weights)


def sha256(path):
    """The file's digest in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance():
    """fabula.json's `training`: the last line of each stage's log."""
    stages = {}
    for path in sorted(CACHE.glob("*.jsonl")):
        lines = path.read_text().splitlines()
        if lines:
            stages[path.stem] = json.loads(lines[-1])
    return {"data": "storybook world (tools/train), rendered and synthesised; no downloads", "stages": stages}


def export(out, random=False, planner=None, audio=None, evaluations=dit.EVALUATIONS, transformer=dit.CHECKPOINT):
    """Writes a bundle to `out`.

    planner, audio: folders to copy. random: untrained video parts. evaluations: `steps` of fabula.json. transformer: its checkpoint; if there is none, the
    weights are untrained."""
    out.mkdir(parents=True, exist_ok=True)
    if planner:
        copy_model(planner, out / "planner", "model.safetensors")
    if audio:
        copy_model(audio, out / "audio_vae", WEIGHTS)
    audio_channels = json.loads((out / "audio_vae/config.json").read_text())["latent_channels"]
    config = out / "planner/config.json"
    text_dim = (json.loads(config.read_text()) if config.exists() else MODEL["planner"])["hidden_size"]
    vae = video_vae.build() if random else video_vae.load(next(p for p in (video_vae.FINAL, video_vae.STARTED) if p.exists()))
    write_model(vae, out / "vae")
    build_new = random or not transformer.exists()
    write_model(dit.build(text_dim, audio_channels, video_vae.LATENT_CHANNELS) if build_new else dit.load(transformer), out / "transformer")
    for name, shift in (("scheduler", dit.VIDEO_SHIFT), ("audio_scheduler", dit.AUDIO_SHIFT)):
        MiniMaxH3Scheduler(shift=shift).save_pretrained(out / name)
    (out / "training").mkdir(exist_ok=True)
    for path in (video_vae.LINEAR, audio_vae.Features.FILE, *sorted(CACHE.glob("*.jsonl"))):
        if path.exists() and not random:
            shutil.copy(path, out / "training")
    (out / "world.json").write_text(editions.text(WORLD))
    (out / "voices.json").write_text(json.dumps({"voices": WORLD["voices"]}, indent=2) + "\n")
    files = sorted(p for p in out.rglob("*") if p.is_file() and str(p.relative_to(out)) not in UNLISTED and "training" not in p.relative_to(out).parts)
    about = {"format": "fabula.bundle/1", "name": MODEL["name"], "version": VERSION, "license": "CC0-1.0",
             "license_note": "The weights are CC0-1.0. They were trained on pictures drawn with glyphs of Noto Color Emoji (OFL-1.1).",
             "family": "h3", "tap_layer": TAP_LAYER, "fps": WORLD["fps"],
             "sample_rate": json.loads((out / "audio_vae/config.json").read_text())["sampling_rate"], "audio_channels": 1,
             "canvas": WORLD["canvas"], "shot_frames": WORLD["shot_frames"], "steps": evaluations, "prediction_type": "x0",
             "training": provenance(), "files": {str(p.relative_to(out)): sha256(p) for p in files}}
    (out / "fabula.json").write_text(json.dumps(about, indent=2) + "\n")
    print(f"{out}: {len(files)} files, {sum(p.stat().st_size for p in files) / 1e6:.1f} MB")


def export_trained(out, transformer=None):
    """Exports what the stages have trained. transformer: a checkpoint other than dit.pt; a distilled one knows its number of evaluations."""
    chosen = transformer or dit.CHECKPOINT
    state = torch.load(chosen, map_location="cpu", weights_only=False) if chosen.exists() else {}
    parts = CACHE / "bundle"
    export(out, planner=parts / "planner", audio=parts / "audio_vae", evaluations=state.get("evaluations", dit.EVALUATIONS), transformer=chosen)


def main():
    """`run.py export-untrained`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--planner", type=pathlib.Path)
    parser.add_argument("--audio-vae", type=pathlib.Path)
    parser.add_argument("--evaluations", type=int, default=dit.EVALUATIONS)
    arguments = parser.parse_args()
    export(arguments.folder, arguments.random, arguments.planner, arguments.audio_vae, arguments.evaluations)
