"""Do films show and say what their prompts ask for? Judges films of the engine and writes REPORT.md into the bundle.

    python evaluate.py BUNDLE --fabula build/cpu-release/bin/fabula [--films FOLDER] [--only PART …] [--share 0.1] [--budget 25 --workers 2]

Two sets of films, each by held-out seeds of the world's grammar: `shots` (one shot each, from the oracle's plans, so that what is right is known to the
millisecond; half of them speak) and `prompts` (what a user types, at most three shots). A film serves all measures at once. Films and judgements are kept in
FOLDER under the bundle's hash: a run that was stopped goes on, --only does some parts, and another bundle starts afresh. --budget begins no film after so many
minutes and reports what there is. Judged by networks trained on the renderer's pictures alone (`recogniser.py`, `motion.py`), by two recognisers of speech and
by the score; every figure stands beside what the renderer's own pictures and sounds get from the same judge, what they get through the autoencoders, and a
control that must fail.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import time
import types

import diffusers
import numpy as np
import torch
import transformers

from judge import judge_picture, judge_sound, judge_world as world, report
from judge.judge_world import CACHE, HEIGHT, WIDTH, WORLD
from networks import audio_vae, dit, layout, planner, video_vae
from prompts import grammar_prompts, grammar_shots
from world import editions

SEED = {"prompts": 990_000_007, "shots": 990_000_011}  # none is used in training
COUNT = {"prompts": 100, "shots": 400}
FILM_SEED = 2 ** 31 + 10 ** 7
MAX_SHOTS = 3
DELIVERED_FPS = 24
AGREEMENT_CASES = 8
STILL = 0.1  # of the picture, at least, where flicker is measured


@dataclasses.dataclass
class Case:
    """A film to make: its name, its prompt, and the plan of the prompt's meaning."""
    name: str
    prompt: str
    plan: dict
    from_plan: bool  # the engine is given the plan, not the prompt
    film: pathlib.Path

    def shots(self) -> list[np.ndarray]:
        """The film cut into its model's shots: frames uint8 [39, H, W, 3] each, at the model's rate; empty if there is no film."""
        if not self.film.exists():
            return []
        raw = subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-i", str(self.film), "-vf", f"scale={WIDTH}:{HEIGHT}:flags=area", "-f",
                              "rawvideo",
                              "-pix_fmt", "rgb24", "-"], check=True, stdout=subprocess.PIPE).stdout
        frames = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
        length = world.FRAMES * DELIVERED_FPS // WORLD["fps"]
        return [frames[start:start + length:DELIVERED_FPS // WORLD["fps"]] for start in range(0, len(frames) - length // 2, length)]

    def sound(self) -> np.ndarray:
        """Samples of the film's first shot, mono."""
        length = round(world.SECONDS * judge_sound.RATE)
        wave = judge_sound.samples(self.film)[:length] if self.film.exists() else np.zeros(0, np.float32)
        return np.pad(wave, (0, length - len(wave)))


def drawn(kind: str, number: int) -> tuple[str, dict] | None:
    """The (prompt, plan) of a kind that a number gives, or None where it is none of that kind."""
    rng = np.random.default_rng([SEED[kind], number])
    if kind == "shots":  # most films of several shots are known by the first draws of `sample_shots` and need no words
        peek = np.random.default_rng([SEED[kind], number])
        peek.permutation(len(WORLD["places"]))
        if peek.integers(1, 5) > 1:
            return None
    prompt, plan = grammar_shots.sample_shots(rng, split="any") if kind == "shots" else grammar_prompts.sample_plan(rng)
    if kind == "shots":  # every second one speaks
        fits = len(plan["shots"]) == 1 and not plan["unsupported"] and bool(plan["shots"][0]["dialogue"]) == bool(number % 2)
    else:
        fits = len(plan["shots"]) <= MAX_SHOTS
    return (prompt, plan) if fits else None


def rules() -> str:
    """What drawn films depend on, in twelve letters."""
    folder = editions.ROOT / "tools/train/prompts"
    return hashlib.sha256(b"".join(p.read_bytes() for p in [*sorted(folder.glob("grammar*.py")), folder / "common_words.py", editions.PATH])).hexdigest()[:12]


def cases(kind: str, folder: pathlib.Path, count: int) -> list[Case]:
    """The first `count` films of a kind; what is drawn is kept in the cache."""
    path = CACHE / f"cases_{kind}_{rules()}.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    number, queues = 1 + max((v["number"] for v in found), default=-1), ([v for v in found if v["number"] % 2 == 0], [v for v in found if v["number"] % 2])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        while (min(map(len, queues)) * 2 if kind == "shots" else sum(map(len, queues))) < count:
            if of := drawn(kind, number):
                queues[number % 2].append({"number": number, "prompt": of[0], "plan": of[1]})
                file.write(json.dumps(queues[number % 2][-1]) + "\n")
            number += 1
    order = [v for pair in zip(*queues) for v in pair] if kind == "shots" else sorted(sum(queues, []), key=lambda v: v["number"])
    made = []
    for i, v in enumerate(order[:count]):
        items = list(v["plan"].items())
        plan = dict(items[:1] + [("prompt", v["prompt"])] + items[1:])
        made.append(Case(f"{kind}{i:03}", v["prompt"], plan, kind != "prompts", folder / f"{kind}{i:03}.mp4"))
    return made


def film(case: Case, binary: pathlib.Path, bundle: pathlib.Path, seed: int, precision: str = "auto") -> None:
    """Makes the film at the model's own scale and keeps the engine's plan, unless both are there. A film that cannot be made leaves a .failed file: its shots
    count as wrong."""
    failed, plan = case.film.with_suffix(".failed"), case.film.with_suffix(".json")
    if case.film.exists() or failed.exists():
        return
    source, part = case.prompt, case.film.with_suffix(".part.mp4")
    if case.from_plan:
        source = case.film.with_suffix(".source.json")
        source.write_text(json.dumps(case.plan))
    made = subprocess.run([str(binary), "render", str(source), "-o", str(part), "--save-plan", str(plan), "--seed", str(seed), "--model", str(bundle),
                           "--scale", "1", "-y",
                           "--precision", precision, "--threads", str(torch.get_num_threads()), "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    if made.returncode:
        part.unlink(missing_ok=True)
        failed.write_text(made.stderr)
        print(f"no film of {case.prompt!r}: {made.stderr.strip()}", file=sys.stderr)
    else:
        part.replace(case.film)


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


def judge_shots(case: Case, number: int, tools: dict) -> dict:
    """A film of one shot: what is seen in it and in the renderer's picture, borders and flicker, its sounds in time where nobody speaks, its line where
    somebody does; of one in tools["through"], and of all that could flicker, also what the renderer's picture is after the autoencoder."""
    plan, shots = case.plan, case.shots()
    wanted, other = judge_picture.meaning(plan, plan["shots"][0]), tools["cases"][(number + 1) % len(tools["cases"])].plan
    truth, mask = judge_picture.rendered(plan, 0, FILM_SEED + number)
    frames, still = shots[0] if shots else truth[:0], judge_picture.still(truth, mask)
    read = judge_picture.moves(frames, wanted)
    record = {"film": judge_picture.seen(frames, wanted, read), "rendered": judge_picture.seen(truth, wanted),
              "another's meaning": judge_picture.seen(frames, judge_picture.meaning(other, other["shots"][0])),
              "actions": [(w[0], r[0]) for w, r in zip(wanted["actors"].values(), read)],
              "borders": {"rendered": judge_picture.borders(truth), "coded": judge_picture.borders(judge_picture.coded(truth)),
                          **({"film": judge_picture.borders(frames)} if len(frames) else {})}}
    sampled, could_flicker = number % tools["through"] == 0, still.mean() > STILL and len(frames) > 0
    again = judge_picture.reconstructed(tools["vae"], truth) if sampled or could_flicker else None
    if sampled:
        record |= {"autoencoder": judge_picture.seen(again, wanted), "psnr": judge_picture.psnr(again, truth),
                   "psnr_actor": judge_picture.psnr(again, truth, mask > 0) if (mask > 0).any() else None}
        record["borders"]["autoencoder"] = judge_picture.borders(again)
    if could_flicker:
        record |= {"flicker": judge_picture.flicker(frames, still), "flicker_autoencoder": judge_picture.flicker(again, still)}
    wave, real = case.sound(), world.voiced(plan, 0, FILM_SEED + number)
    if plan["shots"][0]["dialogue"]:
        line = plan["shots"][0]["dialogue"][0]["text"]
        record["said"] = {"film": judge_sound.said(wave, plan, 0), "rendered": judge_sound.said(real, plan, 0),
                          "autoencoder": judge_sound.said(through(tools["ears"], real), plan, 0)}
        heard = record["said"]["film"]["heard"]
        record["said"]["another's line"] = {"wrong": judge_sound.wrong(tools["lines"][line], heard), "words": len(judge_sound.words(tools["lines"][line]))}
    elif judge_sound.events(plan, 0) and not {w[0] for w in wanted["actors"].values()} & judge_sound.TOO_FAST:
        score = judge_sound.as_scored(plan, 0)
        record["lag"] = {name: judge_sound.lag_ms(w, score) for name, w in (
            ("film", wave), ("film + 100 ms", judge_sound.shifted(wave, 100)), ("film - 100 ms", judge_sound.shifted(wave, -100)), ("rendered", real),
            ("autoencoder", through(tools["ears"], real)))}
    return record


def through(ears, wave: np.ndarray) -> np.ndarray:
    """A shot's samples through the audio autoencoder: its decoder on the exact features that latents are made of, where training has left them, else on what
    its encoder makes of them."""
    rows, samples = layout.audio_rows(), torch.from_numpy(wave[None])
    if audio_vae.Features.FILE.exists() and audio_vae.CONFIG["latent_channels"] == ears.config.latent_channels:
        latents = audio_vae.Features.load().latents(samples, rows)
    else:
        latents = audio_vae.encode_latents(ears, samples, rows)
    out = audio_vae.decode_latents(ears, latents)[0].numpy()
    return np.pad(out, (0, max(0, len(wave) - len(out))))[:len(wave)]


def judge_agreement(case: Case, number: int, tools: dict) -> dict:
    """PSNR between the engine's film in fp32 and the frames of the same parts in diffusers: same plan and seed, another seed, another plan."""
    mean, std = video_vae.latent_statistics(tools["vae"])
    states, starts = planner.tap_states(*tools["planner"], case.prompt, case.plan)[0]
    untimed = sum(s is None for s in starts)
    rows = types.SimpleNamespace(untimed=states[:untimed], score=states[untimed:], starts=starts[untimed:])

    def frames(seed):
        video, _ = dit.sample(tools["transformer"], rows, shot_seed(seed, 0), evaluations=tools["steps"])
        return video_vae.to_pixels(tools["vae"].decode(video[None] * std + mean).sample[0])[:world.FRAMES]

    exact = dataclasses.replace(case, film=case.film.with_suffix(".fp32.mp4"))
    film(exact, tools["binary"], tools["bundle"], number, "fp32")
    other = tools["cases"][(number + 1) % len(tools["cases"])]
    film(other, tools["binary"], tools["bundle"], number + 1)
    shots, others = exact.shots(), other.shots()
    if not shots or not others:
        return {}
    same = frames(number)
    return {"same": judge_picture.psnr(shots[0], same), "another seed": judge_picture.psnr(shots[0], frames(number + 1000)),
            "another plan": judge_picture.psnr(others[0], same)}


PARTS = {"shots": ("shots", judge_shots), "prompts": ("prompts", judge_prompts), "agreement": ("shots", judge_agreement)}


def tools_of(part: str, binary: pathlib.Path, bundle: pathlib.Path, made: list[Case], every: int) -> dict:
    """What a part's judge needs."""
    tools = {"cases": made, "binary": binary, "bundle": bundle, "through": every}
    if part in ("shots", "agreement"):
        tools["vae"] = judge_picture.load_vae(bundle)
    if part == "shots":
        tools["ears"] = audio_vae.load(str(bundle / "audio_vae"))
        lines = [case.plan["shots"][0]["dialogue"][0]["text"] for case in made if case.plan["shots"][0]["dialogue"]]
        tools["lines"] = {a: next((b for b in lines[i + 1:] + lines if b != a), a) for i, a in enumerate(lines)}  # of each line another
    if part == "agreement":
        tools |= {"planner": planner.load(bundle / "planner"),
                  "transformer": diffusers.MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer").float().eval(),
                  "steps": json.loads((bundle / "fabula.json").read_text())["steps"]}
    return tools


# ---- one case after the other, in one process or several

KEPT = {}  # of a process: the tools of a part


def begin(threads: int) -> None:
    """Sets a process up."""
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    diffusers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


@torch.no_grad()
def record_of(part: str, made: list[Case], number: int, binary: pathlib.Path, bundle: pathlib.Path, every: int) -> dict:
    """Makes the film of a case and judges it."""
    if part not in KEPT:
        KEPT[part] = tools_of(part, binary, bundle, made, every)
    start = time.time()
    film(made[number], binary, bundle, number)
    between = time.time()
    record = PARTS[part][1](made[number], number, KEPT[part])
    return {"case": made[number].name, **record, "seconds": [round(between - start, 1), round(time.time() - between, 1)]}


def judged(part: str, made: list[Case], pool, workers: int, end: float, folder: pathlib.Path, *how) -> dict:
    """{case: record} of a part, from FOLDER where they are there; no case is begun after the time `end`."""
    path, start = folder / f"{part}.jsonl", time.time()
    records = {r["case"]: r for r in map(json.loads, path.read_text().splitlines())} if path.exists() else {}
    names = [case.name for case in (made[:AGREEMENT_CASES] if part == "agreement" else made)]
    todo, running = [i for i, name in enumerate(names) if name not in records], {}
    while (todo and time.time() < end) or running:
        while todo and len(running) < workers and time.time() < end:
            number = todo.pop(0)
            running[pool.submit(record_of, part, made, number, *how)] = number
        for done in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
            number = running.pop(done)
            record = done.result()
            records[record["case"]] = record
            with path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            if number % 20 == 0:
                print(f"{part}: {len(records)}/{len(names)}, {time.time() - start:.0f} s, last {record['seconds']}", file=sys.stderr, flush=True)
    return {name: records[name] for name in names if name in records}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--fabula", type=pathlib.Path, required=True, help="the engine's program")
    parser.add_argument("--films", type=pathlib.Path, default=CACHE / "films", help="where films and judgements are kept")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of films, to try it out")
    parser.add_argument("--budget", type=float, help="minutes after which no film is begun; three quarters of them are for the films of one shot")
    parser.add_argument("--every", type=int, help="the autoencoder's share of the single shots is one in so many (1; with a budget 3)")
    parser.add_argument("--out", type=pathlib.Path, help="instead of BUNDLE/REPORT.md")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    options = parser.parse_args()
    about = (options.bundle / "fabula.json").read_bytes()
    folder = options.films / hashlib.sha256(about).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    every, start, results = options.every or (3 if options.budget else 1), time.time(), {}
    with concurrent.futures.ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn"), begin, (options.threads,)) as pool:
        for part in options.only:
            kind = PARTS[part][0]
            share = 0.75 if part == "shots" and "prompts" in options.only else 1.0
            end = start + 60 * share * options.budget if options.budget else float("inf")
            made = cases(kind, folder, max(4, round(COUNT[kind] * options.share)))
            results[part] = judged(part, made, pool, options.workers, end, folder, options.fabula, options.bundle, every)
    measured = CACHE / "distil_measured.json"
    distilled = [json.loads(line) for line in measured.read_text().splitlines()] if measured.exists() else []
    text = report.compose({part: records for part, records in results.items() if records}, json.loads(about), judge_picture.judges()[1],
                          judge_picture.judges()[3], distilled)
    print(text)
    (options.out or options.bundle / "REPORT.md").write_text(text)
