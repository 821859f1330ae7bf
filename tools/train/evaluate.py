"""Do films show and say what their prompts ask for? Judges films of the engine and writes REPORT.md into the bundle.

    python evaluate.py BUNDLE --fabula build/cpu-release/bin/fabula [--films FOLDER] [--only PART …]

Three sets of films, each by held-out seeds of the world's grammar: `prompts` (what a user types, at most three shots), `acts` (one silent shot each) and
`spoken` (one shot with a line each); the last two from the oracle's plans, so that what is right is known to the millisecond. Films and judgements are kept in
FOLDER under the bundle's hash: a run that was stopped goes on, --only does some parts, and another bundle starts afresh. Judged by networks
trained on the renderer's pictures alone (`recogniser.py`, `motion.py`), by pocketsphinx and by the score; every figure stands beside what the renderer's own
pictures and sounds get from the same judge, what they get through the autoencoders, and a control that must fail.
"""
import argparse
import dataclasses
import hashlib
import json
import pathlib
import subprocess
import sys
import time

import diffusers
import numpy as np
import torch
import transformers

import audio_vae
import grammar
import grammar_prompts
import judge_picture
import judge_sound
import layout
import listen
import report
import sound
import video_vae
from training import CACHE, WORLD

SEED = {"prompts": 990_000_007, "acts": 990_000_011, "spoken": 990_000_013}  # none is used in training
COUNT = {"prompts": 100, "acts": 240, "spoken": 210}
FILM_SEED = 2 ** 31 + 10 ** 7
MAX_SHOTS = 3
WIDTH, HEIGHT = WORLD["canvas"]
DELIVERED_FPS = 24
AGREEMENT_CASES = 8


@dataclasses.dataclass
class Case:
    """A film to make: its name, its prompt, and the plan of the prompt's meaning."""
    name: str
    prompt: str
    plan: dict
    from_plan: bool  # the engine is given the plan, not the prompt
    film: pathlib.Path

    def shots(self) -> list[np.ndarray]:
        """The film cut into its model's shots: frames uint8 [22, H, W, 3] each, at the model's rate; empty if there is no film."""
        if not self.film.exists():
            return []
        raw = subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-i", str(self.film), "-vf", f"scale={WIDTH}:{HEIGHT}:flags=area", "-f", "rawvideo",
                              "-pix_fmt", "rgb24", "-"], check=True, stdout=subprocess.PIPE).stdout
        frames = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
        length = WORLD["shot_frames"][0] * DELIVERED_FPS // WORLD["fps"]
        return [frames[start:start + length:DELIVERED_FPS // WORLD["fps"]] for start in range(0, len(frames) - length // 2, length)]

    def sound(self) -> np.ndarray:
        """Samples of the film's first shot, mono."""
        length = len(sound_length())
        wave = listen.samples(self.film)[:length] if self.film.exists() else np.zeros(0, np.float32)
        return np.pad(wave, (0, length - len(wave)))


def sound_length() -> range:
    return range(round(WORLD["shot_frames"][0] / WORLD["fps"] * sound.SAMPLE_RATE))


def drawn(kind: str):
    """Endless (prompt, plan) of a kind."""
    number = 0
    while True:
        rng = np.random.default_rng([SEED[kind], number])
        number += 1
        prompt, story = grammar_prompts.sample(rng)
        if kind == "prompts":
            if sum(grammar.shot_count(story)) <= MAX_SHOTS:
                yield prompt, grammar.oracle(story)
            continue
        event = story.events[0]
        if len(story.events) > 1 or story.shots or story.unsupported or len(event.line) != (1 if kind == "spoken" else 0):
            continue
        if kind == "spoken" and not set(judge_sound.words(event.line[0])) <= set(judge_sound.known_words()):  # drawn letters, which nobody could tell
            continue
        if kind == "acts" and len(event.actors) == 1 and number % 2:  # two actors in half of them, or nearly
            continue
        story.shots, story.move = 1, "static"
        yield f"{prompt} In one shot.", grammar.oracle(story)


def cases(kind: str, folder: pathlib.Path, count: int) -> list[Case]:
    found = drawn(kind)
    made = []
    for i in range(count):
        prompt, plan = next(found)
        items = list(plan.items())
        plan = dict(items[:1] + [("prompt", prompt)] + items[1:])
        made.append(Case(f"{kind}{i:03}", prompt, plan, kind != "prompts", folder / f"{kind}{i:03}.mp4"))
    return made


def film(case: Case, binary: pathlib.Path, bundle: pathlib.Path, seed: int, precision: str = "auto") -> None:
    """Makes the film and keeps the engine's plan, unless both are there. A film that cannot be made leaves a .failed file: its shots count as wrong."""
    failed, plan = case.film.with_suffix(".failed"), case.film.with_suffix(".json")
    if case.film.exists() or failed.exists():
        return
    source = case.prompt
    if case.from_plan:
        source = case.film.with_suffix(".source.json")
        source.write_text(json.dumps(case.plan))
    made = subprocess.run([str(binary), "render", str(source), "-o", str(case.film), "--save-plan", str(plan), "--seed", str(seed), "--model", str(bundle), "--scale", "1",
                           "--precision", precision, "--threads", str(torch.get_num_threads()), "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if made.returncode:
        case.film.unlink(missing_ok=True)
        failed.write_text(made.stderr)
        print(f"no film of {case.prompt!r}: {made.stderr.strip()}", file=sys.stderr)


def shot_seed(film_seed: int, shot: int) -> int:
    """The engine's seed of a shot's noise (engine/film/film.cpp): SplitMix64 (Steele, Lea and Flood, 2014)."""
    z, whole = film_seed + 0x9E3779B97F4A7C15 * (shot + 1), 2 ** 64 - 1
    z = ((z & whole) ^ ((z & whole) >> 30)) * 0xBF58476D1CE4E5B9 & whole
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & whole
    return z ^ (z >> 31)


# ---- the parts; each gives one record a case

def judge_prompts(case: Case, number: int, tools: dict) -> dict:
    """Shots of a film from a prompt: what is seen, by its own meaning and by another prompt's; the characters' appearance; the engine's plan."""
    shots, other = case.shots(), tools["cases"][(number + len(tools["cases"]) // 2) % len(tools["cases"])].plan
    blank = np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
    at = lambda i: shots[i] if i < len(shots) else blank
    record = {"film": [], "another's meaning": [], "rendered": [], "looks": []}
    for i, shot in enumerate(case.plan["shots"]):
        wanted, truth = judge_picture.meaning(case.plan, shot), judge_picture.rendered(case.plan, i, FILM_SEED + number)[0]
        record["film"].append(judge_picture.seen(at(i), wanted))
        record["rendered"].append(judge_picture.seen(truth, wanted))
        if i < len(other["shots"]):
            record["another's meaning"].append(judge_picture.seen(at(i), judge_picture.meaning(other, other["shots"][i])))
        for actor in wanted["actors"] if len(wanted["actors"]) == 1 and len(at(i)) else ():
            for name, frames in (("film", at(i)), ("rendered", truth)):
                record["looks"].append({"of": name, "actor": actor, "seen": judge_picture.looks_like(frames),
                                        "appearance": [round(float(v), 4) for v in judge_picture.appearance(frames, actor)]})
    made = case.film.with_suffix(".json")
    record["plan"] = report.plan_figures(case.plan, json.loads(made.read_text()) if made.exists() else None)
    return record


def judge_acts(case: Case, number: int, tools: dict) -> dict:
    """A silent shot: what is seen in the film, in the renderer's picture, and in that through the autoencoder; flicker and PSNR; its steps and thumps in time."""
    shots, wanted = case.shots(), judge_picture.meaning(case.plan, case.plan["shots"][0])
    truth, mask = judge_picture.rendered(case.plan, 0, FILM_SEED + number)
    again, still = judge_picture.reconstructed(tools["vae"], truth), judge_picture.still(truth, mask)
    frames = shots[0] if shots else truth[:0]
    other = tools["cases"][(number + 1) % len(tools["cases"])].plan
    read = judge_picture.moves(frames, wanted)
    record = {"film": judge_picture.seen(frames, wanted, read), "rendered": judge_picture.seen(truth, wanted), "autoencoder": judge_picture.seen(again, wanted),
              "another's meaning": judge_picture.seen(frames, judge_picture.meaning(other, other["shots"][0])), "actions": [(w[0], r[0]) for w, r in zip(wanted["actors"].values(), read)],
              "psnr": judge_picture.psnr(again, truth), "psnr_actor": judge_picture.psnr(again, truth, mask > 0) if (mask > 0).any() else None}
    if still.any() and len(frames):
        record |= {"flicker": judge_picture.flicker(frames, still), "flicker_autoencoder": judge_picture.flicker(again, still)}
    starts = judge_sound.events(case.plan, 0)
    if starts and {w[0] for w in wanted["actors"].values()} & {"walks", "jumps"} and "runs" not in {w[0] for w in wanted["actors"].values()}:
        wave, real = case.sound(), sound.render_sound(case.plan, 0, FILM_SEED + number)
        record["lag"] = {"film": judge_sound.lag_ms(wave, starts), "film + 100 ms": judge_sound.lag_ms(judge_sound.shifted(wave, 100), starts),
                         "film - 100 ms": judge_sound.lag_ms(judge_sound.shifted(wave, -100), starts), "rendered": judge_sound.lag_ms(real, starts),
                         "autoencoder": judge_sound.lag_ms(through(tools["ears"], real), starts)}
    return record


def judge_spoken(case: Case, number: int, tools: dict) -> dict:
    """A spoken line: in the film, in the renderer's sound, in that through the autoencoder, and another line's film."""
    real = sound.render_sound(case.plan, 0, FILM_SEED + number)
    other = tools["cases"][(number + 1) % len(tools["cases"])]
    return {"film": judge_sound.said(case.sound(), case.plan, 0), "rendered": judge_sound.said(real, case.plan, 0),
            "autoencoder": judge_sound.said(through(tools["ears"], real), case.plan, 0), "another's film": judge_sound.said(other.sound(), case.plan, 0)}


def through(ears, wave: np.ndarray) -> np.ndarray:
    """A shot's samples through the audio autoencoder."""
    out = audio_vae.decode_latents(ears, audio_vae.encode_latents(ears, wave[None], layout.audio_rows()))[0].numpy()
    return np.pad(out, (0, max(0, len(wave) - len(out))))[:len(wave)]


def judge_agreement(case: Case, number: int, tools: dict) -> dict:
    """PSNR between the engine's film in fp32 and the frames of the same parts in diffusers: same plan and seed, another seed, another plan."""
    import dit
    import latents
    mean, std = video_vae.statistics(tools["vae"])
    rows = latents.Rows(*next(tools["tap"](case.prompt, case.plan, [0])))

    def frames(seed):
        video, _ = dit.sample(tools["transformer"], rows, shot_seed(seed, 0), evaluations=tools["steps"])
        return video_vae.to_pixels(tools["vae"].decode(video[None] * std + mean).sample[0])[:WORLD["shot_frames"][0]]

    exact = dataclasses.replace(case, film=case.film.with_suffix(".fp32.mp4"))
    film(exact, tools["binary"], tools["bundle"], number, "fp32")
    shots, others = exact.shots(), tools["cases"][(number + 1) % len(tools["cases"])].shots()
    if not shots or not others:
        return {}
    same = frames(number)
    return {"same": judge_picture.psnr(shots[0], same), "another seed": judge_picture.psnr(shots[0], frames(number + 1000)), "another plan": judge_picture.psnr(others[0], same)}


PARTS = {"prompts": ("prompts", judge_prompts), "acts": ("acts", judge_acts), "spoken": ("spoken", judge_spoken), "agreement": ("acts", judge_agreement)}


def tools_of(part: str, binary: pathlib.Path, bundle: pathlib.Path, made: list[Case]) -> dict:
    """What a part's judge needs."""
    tools = {"cases": made, "binary": binary, "bundle": bundle}
    if part in ("acts", "agreement"):
        tools["vae"] = judge_picture.load_vae(bundle)
    if part in ("acts", "spoken"):
        tools["ears"] = audio_vae.load(str(bundle / "audio_vae"))
    if part == "agreement":
        import latents
        tools |= {"tap": latents.tapper(bundle / "planner"), "transformer": diffusers.MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer").float().eval(),
                  "steps": json.loads((bundle / "fabula.json").read_text())["steps"]}
    return tools


@torch.no_grad()
def judged(part: str, made: list[Case], binary: pathlib.Path, bundle: pathlib.Path, folder: pathlib.Path) -> dict:
    """{case: record} of a part, from FOLDER where they are there."""
    path, judge, tools, start = folder / f"{part}.jsonl", PARTS[part][1], None, time.time()
    records = {r["case"]: r for r in map(json.loads, path.read_text().splitlines())} if path.exists() else {}
    wanted = made[:AGREEMENT_CASES] if part == "agreement" else made
    for number, case in enumerate(wanted):
        film(case, binary, bundle, number)
        if part in ("agreement", "spoken") and number + 1 < len(made):
            film(made[number + 1], binary, bundle, number + 1)  # the control
        if case.name in records:
            continue
        tools = tools or tools_of(part, binary, bundle, made)
        records[case.name] = {"case": case.name, **judge(case, number, tools)}
        with path.open("a") as file:
            file.write(json.dumps(records[case.name]) + "\n")
        if not number % 20:
            print(f"{part}: {number + 1}/{len(wanted)}, {time.time() - start:.0f} s", file=sys.stderr, flush=True)
    return {case.name: records[case.name] for case in wanted}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--fabula", type=pathlib.Path, required=True, help="the engine's program")
    parser.add_argument("--films", type=pathlib.Path, default=CACHE / "films", help="where films and judgements are kept")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of films, to try it out")
    parser.add_argument("--out", type=pathlib.Path, help="instead of BUNDLE/REPORT.md")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    diffusers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    about = (options.bundle / "fabula.json").read_bytes()
    folder = options.films / hashlib.sha256(about).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for part in options.only:
        kind = PARTS[part][0]
        made = cases(kind, folder, max(2, round(COUNT[kind] * options.share)))
        results[part] = judged(part, made, options.fabula, options.bundle, folder)
    measured = CACHE / "distil_measured.json"
    distilled = [json.loads(line) for line in measured.read_text().splitlines()] if measured.exists() else []
    text = report.compose(results, json.loads(about), judge_picture.judges()[1], judge_picture.judges()[3], distilled)
    print(text)
    (options.out or options.bundle / "REPORT.md").write_text(text)


if __name__ == "__main__":
    main()
