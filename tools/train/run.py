"""The one command of tools/train: a stage of training, or a tool.

    python tools/train/run.py STAGE --budget MINUTES [--resume CHECKPOINT] [--out PATH] [--pieces FOLDER]
    python tools/train/run.py TOOL …                  its own arguments; see TOOL --help

Stages, in the order of a whole run (`all.sh` runs them all): plans, planner, start, shots, audio-vae, dit, distil, video-decoder, export. `unpack` comes before
them to continue from a bundle. Every stage can be resumed, makes progress in as little as ten minutes, and uses CUDA if there is a GPU.
Checkpoints, shards and logs (JSON lines) go to .cache/train, which git ignores (FABULA_TRAIN_CACHE overrides it). --pieces also writes the stage's checkpoint
in files of at most 15 MiB; --resume joins them again.
"""

import argparse
import importlib
import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

from common.training import CACHE, DEVICE, join_checkpoint, set_threads, split_checkpoint


class Stage(NamedTuple):
    """`call(module, arguments, out)` runs the stage and returns its checkpoint for --pieces, or None. `out` is the default of --out, below CACHE."""
    module: str
    out: str | None
    call: Callable
    about: str


# Modules are imported by name when their stage runs: drawing plans must not wait for diffusers.
STAGES = {
    "unpack": Stage("bundle.unpack", None, lambda m, a, out: m.unpack(a.resume), "a bundle (--resume FOLDER) -> checkpoints to continue from"),
    "plans": Stage("networks.planner", None, lambda m, a, out: m.write_all_shards(a.budget), "drawn prompts and plans -> shards"),
    "planner": Stage("networks.planner", "bundle/planner", lambda m, a, out: m.train(a.budget, a.resume, out, a.whole), "prompts -> plans, a Qwen3"),
    "start": Stage("networks.latents", None, lambda m, a, out: m.fit_autoencoders(), "what is computed once: linear video autoencoder, audio features"),
    "shots": Stage("networks.latents", None, lambda m, a, out: m.write_all_shards(a.budget), "rendered shots as latents -> shards"),
    "audio-vae": Stage("networks.audio_vae", "bundle/audio_vae", lambda m, a, out: m.train(a.budget, a.resume, out), "the audio autoencoder"),
    "dit": Stage("networks.dit", "dit.pt", lambda m, a, out: m.train(a.budget, a.resume, out, image_share=a.images), "the transformer"),
    "distil": Stage("networks.distil", "dit_distilled.pt", lambda m, a, out: m.train(a.budget, a.resume, out), "the transformer in fewer evaluations"),
    "video-decoder": Stage("networks.decoder_pairs", "video_vae_final.pt", lambda m, a, out: m.train_decoder(a.budget, a.resume, out),
                           "the video decoder, on the transformer's latents if dit.pt exists"),
    "export": Stage("bundle.export", "bundle", lambda m, a, out: m.export_trained(out, a.resume), "the bundle; --resume: a transformer other than dit.pt"),
}

# Tools: each module has a `main()` that parses sys.argv.
TOOLS = {
    "editions": "world.editions",
    "preview": "storybook.preview",
    "vocabulary": "prompts.vocabulary",
    "check-grammar": "prompts.check_grammar",
    "check-decoding": "networks.check_decoding",
    "decode-plan": "networks.planner_decode",
    "recogniser": "judge.recogniser",
    "motion": "judge.motion",
    "evaluate": "judge.evaluate",
    "evaluate-planner": "judge.evaluate_planner",
    "measure-distilled": "judge.measure_distilled",
    "judge-sound": "judge.judge_sound",
    "listen": "judge.listen",
    "bench-planner": "judge.bench_planner",
    "bench-reference": "judge.bench_reference",
    "check-bundle": "bundle.check_bundle",
    "export-untrained": "bundle.export",
    "plot": "bundle.plot",
}


def run_stage(name, arguments):
    """Runs a stage and, with --pieces, writes its checkpoint in pieces."""
    stage = STAGES[name]
    set_threads(1 if DEVICE == "cpu" else 4)  # on a CPU, stages that compete for cores lose more than an idle core costs
    out = arguments.out or (CACHE / stage.out if stage.out else None)
    checkpoint = stage.call(importlib.import_module(stage.module), arguments, out)
    if arguments.pieces and checkpoint:
        split_checkpoint(checkpoint, arguments.pieces)


def main():
    """Runs the stage or tool that the command line names."""
    if sys.argv[1:2] and sys.argv[1] in TOOLS:
        module = importlib.import_module(TOOLS[sys.argv[1]])
        sys.argv[:2] = [f"{sys.argv[0]} {sys.argv[1]}"]
        module.main()
        return
    listing = "stages:\n" + "\n".join(f"  {name:18} {stage.about}" for name, stage in STAGES.items()) + "\n\ntools:\n  " + ", ".join(TOOLS)
    parser = argparse.ArgumentParser(description=__doc__, epilog=listing, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, *TOOLS], metavar="STAGE | TOOL")
    parser.add_argument("--budget", type=float, default=30, help="minutes (default 30)")
    parser.add_argument("--resume", type=join_checkpoint, help="the checkpoint to continue from, whole or in pieces")
    parser.add_argument("--out", type=pathlib.Path, help="output path; default: in .cache/train")
    parser.add_argument("--pieces", type=pathlib.Path, help="also write the checkpoint to this folder in files of at most 15 MiB")
    parser.add_argument("--whole", action="store_true", help="planner: also train below the tap layer; transformers must then be retrained")
    parser.add_argument("--images", type=float, default=0.0, help="dit: share of the budget spent mostly on single frames, first")
    arguments = parser.parse_args()
    run_stage(arguments.stage, arguments)


if __name__ == "__main__":
    main()
