"""One command a stage of training; each is resumable and runs on CUDA where there is one.

    python tools/train/run.py STAGE --budget MINUTES [--resume CHECKPOINT] [--out PATH]

Stages, in the order of a whole run (README.md): planner, audio-vae, video-vae, freeze, latents, dit, video-decoder, export.
Checkpoints, caches and logs (JSON lines) lie in .cache/train, which git ignores.
"""

import argparse
import pathlib

from training import CACHE, threads

BUNDLE = CACHE / "bundle"


def planner(arguments):
    import planner as stage
    stage.train(arguments.budget, arguments.resume is not None, arguments.out or BUNDLE / "planner")


def audio_vae(arguments):
    import audio_vae as stage
    stage.train(arguments.budget, arguments.resume is not None, arguments.out or BUNDLE / "audio_vae")


def video_vae(arguments):
    import video_vae as stage
    stage.train(arguments.budget, arguments.resume, arguments.out or CACHE / "video_vae.pt")


def freeze(arguments):
    import video_vae as stage
    stage.freeze()


def latents(arguments):
    """A quarter of the budget for single pictures, the rest for shots."""
    import latents as stage
    stage.fill("held_out", 0)
    stage.fill("images", arguments.budget / 4)
    stage.fill("shots", arguments.budget * 3 / 4)


def dit(arguments):
    import dit as stage
    stage.train(arguments.budget, arguments.resume, arguments.out or CACHE / "dit.pt")


def video_decoder(arguments):
    import video_vae as stage
    stage.train(arguments.budget, arguments.resume or CACHE / "video_vae_frozen.pt", arguments.out or CACHE / "video_vae_final.pt",
                decoder_only=True, head_share=0.3, shot_share=0.25, rate=4e-4)


def export(arguments):
    import export as stage
    stage.export(arguments.out or BUNDLE, planner=BUNDLE / "planner", audio=BUNDLE / "audio_vae")


STAGES = {f.__name__.replace("_", "-"): f for f in (planner, audio_vae, video_vae, freeze, latents, dit, video_decoder, export)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--budget", type=float, default=30, help="minutes")
    parser.add_argument("--resume", type=pathlib.Path, help="a checkpoint to go on from")
    parser.add_argument("--out", type=pathlib.Path, help="where to write; by default in .cache/train")
    arguments = parser.parse_args()
    threads(1)  # two share a core worse than one leaves it
    STAGES[arguments.stage](arguments)


if __name__ == "__main__":
    main()
