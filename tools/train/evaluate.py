"""Do films show what their prompts ask for? Writes REPORT.md into the bundle.

    python evaluate.py BUNDLE --fabula build/cpu-release/bin/fabula [--prompts 40] [--films FOLDER]
    python evaluate.py BUNDLE --python        the same with diffusers and the oracle's plans, for use during training

The prompts come from the world's grammar by held-out seeds; what is right is the meaning they were made from, so a planner's mistake counts too.
Each shot is judged by the recogniser (`recogniser.py`: trained on rendered truth, never on generated pictures) on frames about its middle; a prompt's
score is the share of its shots that are right. Beside it: the renderer's own pictures of the same plans, the same through the video autoencoder, and
the films judged by another prompt's meaning.
"""
import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

import diffusers
import numpy as np
import torch
import transformers

import grammar
import picture
import recogniser
from training import WORLD

PROMPT_SEED, FILM_SEED = 990_000_007, 2 ** 31 + 10 ** 7  # neither is used in training
MIDDLE = (7, 10, 13)  # frames of a shot that are judged, at the model's own rate
WIDTH, HEIGHT = WORLD["canvas"]
DELIVERED_FPS = 24
ASPECTS = ("place", "time", "actors")


def held_out_prompts(count: int, max_shots: int) -> list[tuple[str, dict]]:
    """(prompt, plan of its meaning) of at most `max_shots` shots."""
    found, seed = [], 0
    while len(found) < count:
        prompt, plan = grammar.sample_plan(np.random.default_rng([PROMPT_SEED, seed]))
        seed += 1
        if len(plan["shots"]) <= max_shots:
            found.append((prompt, plan))
    return found


def meaning(plan: dict, shot: dict) -> dict:
    """What a shot of a plan should show."""
    place = next(p for p in plan["places"] if p["id"] == shot["place"])
    return {"place": place["id"], "time": place["time_of_day"], "actors": {member["id"] for member in shot["cast"]}}


# ---- where the pictures come from: each gives, for a case, frames uint8 [n, H, W, 3] of every shot

def rendered(plan: dict, seed: int) -> list[np.ndarray]:
    return [picture.render_shot(plan, i, seed)[0] for i in range(len(plan["shots"]))]


def reconstructed(vae, plan: dict, seed: int) -> list[np.ndarray]:
    """Rendered truth through the video autoencoder."""
    return [to_pixels(vae.decode(vae.encode(to_model(shot)).latent_dist.mode()).sample) for shot in rendered(plan, seed)]


def filmed(binary: pathlib.Path, bundle: pathlib.Path, prompt: str, seed: int, film: pathlib.Path) -> list[np.ndarray]:
    """The engine's film of a prompt, cut into its model's shots."""
    made = subprocess.run([str(binary), "render", prompt, "-o", str(film), "--seed", str(seed), "--model", str(bundle), "--quiet"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    if made.returncode:  # no film: all its shots count as wrong
        print(f"no film of {prompt!r}: {made.stderr.strip()}", file=sys.stderr)
        return []
    raw = subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-i", str(film), "-vf", f"scale={WIDTH}:{HEIGHT}:flags=area", "-f", "rawvideo",
                          "-pix_fmt", "rgb24", "-"], check=True, stdout=subprocess.PIPE).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
    length = WORLD["shot_frames"][0] * DELIVERED_FPS // WORLD["fps"]
    return [frames[start:start + length:DELIVERED_FPS // WORLD["fps"]] for start in range(0, len(frames) - length // 2, length)]


class PythonSampler:
    """The bundle's parts in diffusers and transformers, on the oracle's plans."""

    def __init__(self, bundle: pathlib.Path, vae):
        import latents
        self.tap, self.vae = latents.tapper(bundle / "planner"), vae
        self.transformer = diffusers.MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer").float().eval()
        self.mean, self.std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (vae.config.latents_mean, vae.config.latents_std))

    def shots(self, prompt: str, plan: dict, seed: int) -> list[np.ndarray]:
        import dit
        import latents
        result = []
        for i, rows in enumerate(self.tap(prompt, plan, range(len(plan["shots"])))):
            video, _ = dit.sample(self.transformer, latents.Rows(*rows), seed + i)
            result.append(to_pixels(self.vae.decode(video[None] * self.std + self.mean).sample))
        return result


PIXEL_MEAN, PIXEL_STD = (torch.tensor(v).view(1, 3, 1, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def to_model(frames: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(frames.copy()).permute(3, 0, 1, 2)[None].float() / 255 - PIXEL_MEAN) / PIXEL_STD


def to_pixels(pixels: torch.Tensor) -> np.ndarray:
    return ((pixels * PIXEL_STD + PIXEL_MEAN).clamp(0, 1) * 255 + 0.5).byte()[0].permute(1, 2, 3, 0).numpy()[:WORLD["shot_frames"][0]]


# ---- judging

def scores(judge, films: list[list[np.ndarray]], plans: list[dict]) -> dict:
    """Share of right shots of each prompt and aspect, and of their actors where one actor is alone: {aspect: float [prompts]}."""
    result = {aspect: [] for aspect in (*ASPECTS, "lone actor")}
    for shots, plan in zip(films, plans):
        right = {aspect: [] for aspect in result}
        for i, shot in enumerate(plan["shots"]):
            wanted = meaning(plan, shot)
            seen = recogniser.judge(judge, shots[i][[k for k in MIDDLE if k < len(shots[i])]], len(wanted["actors"])) if i < len(shots) else {}
            for aspect in ASPECTS:
                right[aspect].append(seen.get(aspect) == wanted[aspect])
            if len(wanted["actors"]) == 1:
                right["lone actor"].append(right["actors"][-1])
        for aspect, values in right.items():
            result[aspect] += [np.mean(values)] if values else []
    return result


def shuffled(plans: list[dict]) -> list[dict]:
    """Each film's plan exchanged for another prompt's."""
    return plans[len(plans) // 2:] + plans[:len(plans) // 2]


def interval(values: list[float]) -> str:
    """Mean in per cent with Wilson's 95 % interval over prompts."""
    n, p, z = len(values), float(np.mean(values)), 1.96
    centre, half = (p + z * z / (2 * n)) / (1 + z * z / n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{100 * p:.1f} % ({100 * (centre - half):.0f}–{100 * (centre + half):.0f})"


def report(rows: dict, judge_figures: dict, source: str, prompts: int, shots: int) -> str:
    """REPORT.md."""
    lines = ["# What the films show", "",
             f"{prompts} held-out prompts of the world's grammar, {shots} shots; pictures from {source}. Judged by `tools/train/recogniser.py` on "
             f"frames about the middle of each shot. A prompt's score is the share of its shots that are right; in brackets the 95 % interval over prompts. "
             "*Actors* asks for the whole cast of a shot, *lone actor* is the same over the shots with one actor.", "",
             "| pictures | place | time of day | actors | lone actor |", "|---|---|---|---|---|"]
    lines += [f"| {name} | " + " | ".join(interval(result[aspect]) for aspect in (*ASPECTS, "lone actor")) + " |" for name, result in rows.items()]
    lines += ["", "The recogniser on single held-out rendered frames (place / time / every actor's presence):"]
    lines += [f"- {name}: " + " / ".join(f"{100 * figures[aspect]:.1f} %" for aspect in ASPECTS) for name, figures in judge_figures.items()]
    lines += ["", f"Chance: place {100 / len(WORLD['places']):.0f} %, time 50 %, lone actor {100 / len(WORLD['actors']):.0f} %. "
              "Made by `tools/train/evaluate.py`."]
    return "\n".join(lines) + "\n"


@torch.no_grad()
def evaluate(bundle: pathlib.Path, binary: pathlib.Path | None, count: int, max_shots: int, folder: pathlib.Path) -> str:
    """The report's text. binary: the engine; None for the Python sampler. Films are kept in `folder`."""
    judge, judge_figures = recogniser.load()
    vae = diffusers.AutoencoderKLMiniMaxH3.from_pretrained(bundle / "vae").float().eval()
    vae.disable_tiling()
    cases = held_out_prompts(count, max_shots)
    plans = [plan for _, plan in cases]
    sampler = None if binary else PythonSampler(bundle, vae)
    films = []
    for i, (prompt, plan) in enumerate(cases):
        films.append(filmed(binary, bundle, prompt, i, folder / f"{i:02}.mp4") if binary else sampler.shots(prompt, plan, i))
        if sys.stderr.isatty() or not i % 10:
            print(f"{i + 1}/{count}", file=sys.stderr, flush=True)
    rows = {"films": scores(judge, films, plans), "films, another prompt's meaning": scores(judge, films, shuffled(plans)),
            "rendered truth": scores(judge, [rendered(plan, FILM_SEED + i) for i, plan in enumerate(plans)], plans),
            "rendered truth through the video autoencoder": scores(judge, [reconstructed(vae, plan, FILM_SEED + i) for i, plan in enumerate(plans)], plans)}
    source = "`fabula render`" if binary else "the bundle's parts in diffusers and transformers, with the oracle's plans"
    return report(rows, judge_figures, source, count, sum(len(plan["shots"]) for plan in plans))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--fabula", type=pathlib.Path, help="the engine's program")
    which.add_argument("--python", action="store_true", help="sample with diffusers instead")
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--max-shots", type=int, default=3)
    parser.add_argument("--films", type=pathlib.Path, help="keep the films here")
    parser.add_argument("--out", type=pathlib.Path, help="instead of BUNDLE/REPORT.md")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    diffusers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        films_folder = options.films or pathlib.Path(scratch)
        films_folder.mkdir(parents=True, exist_ok=True)
        text = evaluate(options.bundle, options.fabula, options.prompts, options.max_shots, films_folder)
    print(text)
    (options.out or options.bundle / "REPORT.md").write_text(text)
