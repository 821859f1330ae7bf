"""One command a stage of training; each is resumable, makes use of as little as ten minutes, and runs on CUDA where there is one.

    python tools/train/run.py STAGE --budget MINUTES [--resume CHECKPOINT] [--out PATH] [--pieces FOLDER]

Stages, in the order of a whole run (README.md; `all.sh` runs them all): planner, audio-vae, video-vae, freeze, latents, dit, distil, made, video-decoder, export; resound
after audio-vae was run again; unpack before any of them, to go on from a bundle.
Checkpoints, caches and logs (JSON lines) lie in .cache/train, which git ignores. With --pieces the stage's checkpoint is also written there in files of at
most 15 MiB; --resume joins them again.
"""

import argparse
import pathlib
import shutil

import torch

from training import CACHE, DEVICE, GPU_SCALE, ROOT, WORKERS, join, split, started, threads

BUNDLE = CACHE / "bundle"


def unpack(arguments):
    """A bundle's parts, --resume FOLDER, as the checkpoints that the stages go on from."""
    import unpack as stage
    stage.unpack(arguments.resume or ROOT / "assets/models/nano")


def planner(arguments):
    import planner as stage
    stage.train(arguments.budget, arguments.resume, arguments.out or BUNDLE / "planner")
    return stage.FOLDER / "checkpoint.pt"


def audio_vae(arguments):
    import audio_vae as stage
    checkpoint, before = CACHE / "audio_vae.pt", 0.0  # the stage counts the minutes of earlier runs in
    if arguments.resume:
        before = torch.load(arguments.resume, map_location="cpu", weights_only=False)["seconds"] / 60
        if arguments.resume.resolve() != checkpoint.resolve():
            shutil.copy(arguments.resume, checkpoint)
    with torch.device(DEVICE):
        stage.train(arguments.budget + before, bool(arguments.resume), arguments.out or BUNDLE / "audio_vae")
    return checkpoint


def video_vae(arguments):
    import video_vae as stage
    out = arguments.out or CACHE / "video_vae.pt"
    stage.train(arguments.budget, arguments.resume, out)
    return out


def freeze(arguments):
    import video_vae as stage
    stage.freeze()
    return CACHE / "video_vae_frozen.pt"


def fill(kind, minutes, first):
    import latents as stage
    stage.fill(kind, minutes, first)


def latents(arguments):
    """A quarter of the budget for single pictures, the rest for shots; several processes where there are processors to spare."""
    fill("held_out", 0, 0)
    for kind, minutes in (("images", arguments.budget / 4), ("shots", arguments.budget * 3 / 4)):
        others = [started(fill, kind, minutes, 500 * (1 + i)) for i in range(min(WORKERS, 16) - 1)]
        fill(kind, minutes, 0)
        for process in others:
            process.join()


def resound(arguments):
    """After the audio autoencoder was trained again: the sound of the cached shots is encoded anew, their pictures stay."""
    import latents as stage
    stage.resound(BUNDLE / "audio_vae")


def dit(arguments):
    import dit as stage
    out = arguments.out or CACHE / "dit.pt"
    size = {"batch_size": 8 * GPU_SCALE, "image_batch": 12 * GPU_SCALE} if GPU_SCALE > 1 else {}
    stage.train(arguments.budget, arguments.resume, out, **size)
    return out


def distil(arguments):
    import distil as stage
    out = arguments.out or CACHE / "dit_distilled.pt"
    stage.train(arguments.budget, arguments.resume, out)
    return out


def made(arguments):
    """Latents as the transformer leaves them, for the decoder to be finished on."""
    import made as stage
    stage.fill(arguments.resume or CACHE / "dit.pt", arguments.budget)


def video_decoder(arguments):
    """The decoder alone; on the transformer's latents too, if `made` left some."""
    import made
    import video_vae as stage
    out = arguments.out or CACHE / "video_vae_final.pt"
    more = {"draw": made.random_batch, "also": made.evaluate} if made.FOLDER.exists() else {}
    stage.train(arguments.budget, arguments.resume or CACHE / "video_vae_frozen.pt", out, decoder_only=True, head_share=0.2, shot_share=0.25, rate=4e-4, **more)
    return out


def export(arguments):
    """The bundle; --resume names another transformer than dit.pt (a distilled one says how many evaluations it was made for)."""
    import export as stage
    chosen = arguments.resume or CACHE / "dit.pt"
    few = torch.load(chosen, map_location="cpu", weights_only=False).get("evaluations", stage.dit.EVALUATIONS)
    stage.export(arguments.out or BUNDLE, planner=BUNDLE / "planner", audio=BUNDLE / "audio_vae", evaluations=few, transformer=chosen)


STAGES = {f.__name__.replace("_", "-"): f for f in (unpack, planner, audio_vae, video_vae, freeze, latents, resound, dit, distil, made, video_decoder, export)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--budget", type=float, default=30, help="minutes")
    parser.add_argument("--resume", type=join, help="a checkpoint to go on from, whole or in pieces")
    parser.add_argument("--out", type=pathlib.Path, help="where to write; by default in .cache/train")
    parser.add_argument("--pieces", type=pathlib.Path, help="a folder for the checkpoint in files of at most 15 MiB")
    arguments = parser.parse_args()
    threads(1 if DEVICE == "cpu" else 4)  # on a processor two stages share a core worse than one leaves it
    checkpoint = STAGES[arguments.stage](arguments)
    if arguments.pieces and checkpoint:
        split(checkpoint, arguments.pieces)


if __name__ == "__main__":
    main()
