"""One command a stage of training; each is resumable, makes use of as little as ten minutes, and runs on CUDA where there is one.

    python tools/train/run.py STAGE --budget MINUTES [--resume CHECKPOINT] [--out PATH] [--pieces FOLDER]

Stages, in the order of a whole run (README.md; `all.sh` runs them all): plans, planner, start, shots, audio-vae, dit, distil, video-decoder, export; unpack
before any of them, to go on from a bundle.
Checkpoints, caches and logs (JSON lines) lie in .cache/train, which git ignores. With --pieces the stage's checkpoint is also written there in files of at
most 15 MiB; --resume joins them again.
"""

import argparse
import pathlib

import torch

from training import CACHE, DEVICE, WORKERS, join, split, started, threads

BUNDLE = CACHE / "bundle"


def unpack(arguments):
    """A bundle's parts, --resume FOLDER, as the checkpoints that the stages go on from."""
    import unpack as stage
    if not arguments.resume:
        raise SystemExit("run.py unpack: --resume names the bundle")
    stage.unpack(arguments.resume)


def plans(arguments):
    """Shards of drawn plans, for the planner."""
    import planner as stage
    others = [started(stage.fill, arguments.budget, i, WORKERS) for i in range(1, WORKERS)]
    stage.fill(arguments.budget, 0, max(1, WORKERS))
    for process in others:
        process.join()


def planner(arguments):
    import planner as stage
    stage.train(arguments.budget, arguments.resume, arguments.out or BUNDLE / "planner", arguments.whole)
    return stage.FOLDER / "checkpoint.pt"


def start(arguments):
    """What is computed once and never changes: the linear video autoencoder and the features of sound."""
    import audio_vae
    import video_vae
    video_vae.start()
    audio_vae.fit()
    return video_vae.STARTED


def fill(kind, minutes, first, step):
    import latents
    torch.set_num_threads(1)
    latents.fill(kind, minutes, first, step)


def shots(arguments):
    """Shards of rendered shots; several processes where there are processors to spare. Stages that learn from them may run at the same time."""
    others = [started(fill, "shots", arguments.budget, i, WORKERS) for i in range(1, WORKERS)]
    fill("held_out", 0, 0, 1)
    fill("shots", arguments.budget, 0, max(1, WORKERS))
    for process in others:
        process.join()


def audio_vae(arguments):
    import audio_vae as stage
    stage.train(arguments.budget, arguments.resume, arguments.out or BUNDLE / "audio_vae")
    return CACHE / "audio_vae.pt"


def dit(arguments):
    import dit as stage
    out = arguments.out or CACHE / "dit.pt"
    stage.train(arguments.budget, arguments.resume, out, image_share=arguments.images)
    return out


def distil(arguments):
    import distil as stage
    out = arguments.out or CACHE / "dit_distilled.pt"
    stage.train(arguments.budget, arguments.resume, out)
    return out


def video_decoder(arguments):
    """The decoder of pictures; on latents as the transformer leaves them, once there is one."""
    import made
    import video_vae as stage
    out = arguments.out or stage.FINAL
    stage.train(arguments.budget, arguments.resume, out, made.shots(CACHE / "dit.pt") if (CACHE / "dit.pt").exists() else None)
    return out


def export(arguments):
    """The bundle; --resume names another transformer than dit.pt (a distilled one says how many evaluations it was made for). Without any it is untrained."""
    import export as stage
    chosen = arguments.resume or CACHE / "dit.pt"
    state = torch.load(chosen, map_location="cpu", weights_only=False) if chosen.exists() else {}
    few = state.get("evaluations", stage.dit.EVALUATIONS)
    stage.export(arguments.out or BUNDLE, planner=BUNDLE / "planner", audio=BUNDLE / "audio_vae", evaluations=few, transformer=chosen)


STAGES = {f.__name__.replace("_", "-"): f for f in (unpack, plans, planner, start, shots, audio_vae, video_decoder, dit, distil, export)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--budget", type=float, default=30, help="minutes")
    parser.add_argument("--resume", type=join, help="a checkpoint to go on from, whole or in pieces")
    parser.add_argument("--out", type=pathlib.Path, help="where to write; by default in .cache/train")
    parser.add_argument("--pieces", type=pathlib.Path, help="a folder for the checkpoint in files of at most 15 MiB")
    parser.add_argument("--whole", action="store_true", help="planner: train on below the tap too; transformers must then be trained anew")
    parser.add_argument("--images", type=float, default=0.0, help="dit: the share of the budget that goes to single frames first")
    arguments = parser.parse_args()
    threads(1 if DEVICE == "cpu" else 4)  # on a processor two stages share a core worse than one leaves it
    checkpoint = STAGES[arguments.stage](arguments)
    if arguments.pieces and checkpoint:
        split(checkpoint, arguments.pieces)


if __name__ == "__main__":
    main()
