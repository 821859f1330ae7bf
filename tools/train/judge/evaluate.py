"""Do films show and say what their prompts ask for? Renders films with the engine, judges them and writes REPORT.md into the bundle.

    python tools/train/run.py evaluate BUNDLE --fabula build/cpu-release/bin/fabula [--films FOLDER] [--only PART …] [--share 0.1] [--budget 25 --workers 2]

Two sets of films, each from held-out seeds: `shots` (one shot each, from the oracle's plans, so that the truth is known to the millisecond; half of them
speak) and `prompts` (what a user might type, at most three shots). All measures share the same films. Films and judgements are kept in FOLDER under the
bundle's hash: a stopped run continues, --only selects parts, another bundle starts from scratch. --budget starts no film after so many minutes and reports
what there is.

The judges are networks trained on rendered pictures alone (`recogniser.py`, `motion.py`), two speech recognisers, and the score. Every figure is reported
beside the same judge's result on the renderer's own pictures and sounds, on these after the autoencoders, and on a control that must fail.
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

SEED = {"prompts": 990_000_007, "shots": 990_000_011}  # never used in training
COUNT = {"prompts": 100, "shots": 400}
FILM_SEED = 2 ** 31 + 10 ** 7
MAX_SHOTS = 3
DELIVERED_FPS = 24
AGREEMENT_CASES = 8
STILL = 0.1  # least share of static pixels for measuring flicker


@dataclasses.dataclass
class Case:
    """A film to make: its name, its prompt, and the plan of what the prompt means."""
    name: str
    prompt: str
    plan: dict
    from_plan: bool  # the engine gets the plan, not the prompt
    film: pathlib.Path

    def shots(self) -> list[np.ndarray]:
        """The film cut into the model's shots: frames uint8 [39, H, W, 3] each, at the model's rate. Empty if there is no film."""
        if not self.film.exists():
            return []
        raw = subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-i", str(self.film), "-vf", f"scale={WIDTH}:{HEIGHT}:flags=area", "-f",
                              "rawvideo",
                              "-pix_fmt", "rgb24", "-"], check=True, stdout=subprocess.PIPE).stdout
        frames = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
        length = world.FRAMES * DELIVERED_FPS // WORLD["fps"]
        return [frames[start:start + length:DELIVERED_FPS // WORLD["fps"]] for start in range(0, len(frames) - length // 2, length)]

    def sound(self) -> np.ndarray:
        """Samples of the film's first shot, mono; zeros if there is no film."""
        length = round(world.SECONDS * judge_sound.RATE)
        wave = judge_sound.samples(self.film)[:length] if self.film.exists() else np.zeros(0, np.float32)
        return np.pad(wave, (0, length - len(wave)))


def draw_case(kind: str, number: int) -> tuple[str, dict] | None:
    """The (prompt, plan) that `number` draws, or None if it does not fit the kind."""
    rng = np.random.default_rng([SEED[kind], number])
    if kind == "shots":  # the first draws of `sample_shots` reveal most films of several shots: skip them early
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


def grammar_hash() -> str:
    """Twelve hex digits that change with anything drawn films depend on."""
    folder = editions.ROOT / "tools/train/prompts"
    return hashlib.sha256(b"".join(p.read_bytes() for p in [*sorted(folder.glob("grammar*.py")), folder / "common_words.py", editions.PATH])).hexdigest()[:12]


def cases(kind: str, folder: pathlib.Path, count: int) -> list[Case]:
    """The first `count` cases of a kind. Draws are cached."""
    path = CACHE / f"cases_{kind}_{grammar_hash()}.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    number, queues = 1 + max((v["number"] for v in found), default=-1), ([v for v in found if v["number"] % 2 == 0], [v for v in found if v["number"] % 2])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        while (min(map(len, queues)) * 2 if kind == "shots" else sum(map(len, queues))) < count:
            if of := draw_case(kind, number):
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


def render_film(case: Case, binary: pathlib.Path, bundle: pathlib.Path, seed: int, precision: str = "auto") -> None:
    """Renders the case's film at the model's own scale and keeps the engine's plan, unless that is done already. A film that cannot be made leaves a .failed
    file, and its shots count as wrong."""
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
        print(f"cannot render {case.prompt!r}: {made.stderr.strip()}", file=sys.stderr)
    else:
        part.replace(case.film)


def shot_seed(film_seed: int, shot: int) -> int:
    """The engine's noise seed of a shot (engine/film/film.cpp): SplitMix64 (Steele, Lea and Flood, 2014)."""
    z, whole = film_seed + 0x9E3779B97F4A7C15 * (shot + 1), 2 ** 64 - 1
    z = ((z & whole) ^ ((z & whole) >> 30)) * 0xBF58476D1CE4E5B9 & whole
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & whole
    return z ^ (z >> 31)


# ---- the parts; each returns one record per case

def judge_prompts(case: Case, number: int, tools: dict) -> dict:
    """Judges the shots of a film from a prompt against its own meaning and another prompt's, the characters' appearance, and the engine's plan."""
    shots, other = case.shots(), tools["cases"][(number + len(tools["cases"]) // 2) % len(tools["cases"])].plan
    blank = np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
    at = lambda i: shots[i] if i < len(shots) else blank
    record = {"film": [], "another's meaning": [], "rendered": [], "looks": []}
    for i, shot in enumerate(case.plan["shots"]):
        wanted, truth = judge_picture.expected(case.plan, shot), judge_picture.rendered(case.plan, i, FILM_SEED + number)[0]
        record["film"].append(judge_picture.judge_shot(at(i), wanted))
        record["rendered"].append(judge_picture.judge_shot(truth, wanted))
        if i < len(other["shots"]):
            record["another's meaning"].append(judge_picture.judge_shot(at(i), judge_picture.expected(other, other["shots"][i])))
        for actor in wanted["actors"] if len(wanted["actors"]) == 1 and len(at(i)) else ():
            for name, frames in (("film", at(i)), ("rendered", truth)):
                record["looks"].append({"of": name, "actor": actor, "seen": judge_picture.likeliest_actor(frames),
                                        "appearance": [round(float(v), 4) for v in judge_picture.appearance(frames, actor)]})
    made = case.film.with_suffix(".json")
    record["plan"] = report.plan_figures(case.plan, json.loads(made.read_text()) if made.exists() else None)
    return record


def judge_shots(case: Case, number: int, tools: dict) -> dict:
    """Judges a film of one shot: what it shows, patch borders and flicker; sound timing if nobody speaks, else the spoken line. For every tools["through"]-th
    case, and wherever flicker can be measured, also the renderer's picture after the autoencoder."""
    plan, shots = case.plan, case.shots()
    wanted, other = judge_picture.expected(plan, plan["shots"][0]), tools["cases"][(number + 1) % len(tools["cases"])].plan
    truth, mask = judge_picture.rendered(plan, 0, FILM_SEED + number)
    frames, still = shots[0] if shots else truth[:0], judge_picture.static_pixels(truth, mask)
    read = judge_picture.read_motion(frames, wanted)
    record = {"film": judge_picture.judge_shot(frames, wanted, read), "rendered": judge_picture.judge_shot(truth, wanted),
              "another's meaning": judge_picture.judge_shot(frames, judge_picture.expected(other, other["shots"][0])),
              "actions": [(w[0], r[0]) for w, r in zip(wanted["actors"].values(), read)],
              "borders": {"rendered": judge_picture.border_visibility(truth), "coded": judge_picture.border_visibility(judge_picture.through_h264(truth)),
                          **({"film": judge_picture.border_visibility(frames)} if len(frames) else {})}}
    sampled, could_flicker = number % tools["through"] == 0, still.mean() > STILL and len(frames) > 0
    again = judge_picture.through_autoencoder(tools["vae"], truth) if sampled or could_flicker else None
    if sampled:
        record |= {"autoencoder": judge_picture.judge_shot(again, wanted), "psnr": judge_picture.psnr(again, truth),
                   "psnr_actor": judge_picture.psnr(again, truth, mask > 0) if (mask > 0).any() else None}
        record["borders"]["autoencoder"] = judge_picture.border_visibility(again)
    if could_flicker:
        record |= {"flicker": judge_picture.flicker(frames, still), "flicker_autoencoder": judge_picture.flicker(again, still)}
    wave, real = case.sound(), world.render_sound(plan, 0, FILM_SEED + number)
    if plan["shots"][0]["dialogue"]:
        line = plan["shots"][0]["dialogue"][0]["text"]
        record["said"] = {"film": judge_sound.judge_line(wave, plan, 0), "rendered": judge_sound.judge_line(real, plan, 0),
                          "autoencoder": judge_sound.judge_line(through_audio_autoencoder(tools["ears"], real), plan, 0)}
        heard = record["said"]["film"]["heard"]
        other_line = tools["lines"][line]
        record["said"]["another's line"] = {"wrong": judge_sound.wrong_words(other_line, heard), "words": len(judge_sound.words(other_line))}
    elif judge_sound.events(plan, 0) and not {w[0] for w in wanted["actors"].values()} & judge_sound.TOO_FREQUENT:
        score = judge_sound.render_score(plan, 0)
        record["lag"] = {name: judge_sound.lag_ms(w, score) for name, w in (
            ("film", wave), ("film + 100 ms", judge_sound.shifted(wave, 100)), ("film - 100 ms", judge_sound.shifted(wave, -100)), ("rendered", real),
            ("autoencoder", through_audio_autoencoder(tools["ears"], real)))}
    return record


def through_audio_autoencoder(ears, wave: np.ndarray) -> np.ndarray:
    """A shot's samples through the audio autoencoder: decoded from the exact features if training left them in the cache, else from the encoder's output."""
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
        """The shot in diffusers, uint8 [n, H, W, 3], from the noise that the engine draws for this seed of a film."""
        video, _ = dit.sample(tools["transformer"], rows, shot_seed(seed, 0), evaluations=tools["steps"])
        return video_vae.to_pixels(tools["vae"].decode(video[None] * std + mean).sample[0])[:world.FRAMES]

    exact = dataclasses.replace(case, film=case.film.with_suffix(".fp32.mp4"))
    render_film(exact, tools["binary"], tools["bundle"], number, "fp32")
    other = tools["cases"][(number + 1) % len(tools["cases"])]
    render_film(other, tools["binary"], tools["bundle"], number + 1)
    shots, others = exact.shots(), other.shots()
    if not shots or not others:
        return {}
    same = frames(number)
    return {"same": judge_picture.psnr(shots[0], same), "another seed": judge_picture.psnr(shots[0], frames(number + 1000)),
            "another plan": judge_picture.psnr(others[0], same)}


PARTS = {"shots": ("shots", judge_shots), "prompts": ("prompts", judge_prompts), "agreement": ("shots", judge_agreement)}


def judge_tools(part: str, binary: pathlib.Path, bundle: pathlib.Path, made: list[Case], every: int) -> dict:
    """What the judge of a part needs."""
    tools = {"cases": made, "binary": binary, "bundle": bundle, "through": every}
    if part in ("shots", "agreement"):
        tools["vae"] = judge_picture.load_vae(bundle)
    if part == "shots":
        tools["ears"] = audio_vae.load(str(bundle / "audio_vae"))
        lines = [case.plan["shots"][0]["dialogue"][0]["text"] for case in made if case.plan["shots"][0]["dialogue"]]
        tools["lines"] = {a: next((b for b in lines[i + 1:] + lines if b != a), a) for i, a in enumerate(lines)}  # for each line, a different one
    if part == "agreement":
        tools |= {"planner": planner.load(bundle / "planner"),
                  "transformer": diffusers.MiniMaxH3Transformer3DModel.from_pretrained(bundle / "transformer").float().eval(),
                  "steps": json.loads((bundle / "fabula.json").read_text())["steps"]}
    return tools


# ---- running the cases, in one or several processes

TOOLS = {}  # per process: {part: its tools}


def init_worker(threads: int) -> None:
    """Sets up a worker process."""
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    diffusers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


@torch.no_grad()
def render_and_judge(part: str, made: list[Case], number: int, binary: pathlib.Path, bundle: pathlib.Path, every: int) -> dict:
    """Renders the film of a case and judges it; returns the record."""
    if part not in TOOLS:
        TOOLS[part] = judge_tools(part, binary, bundle, made, every)
    start = time.time()
    render_film(made[number], binary, bundle, number)
    between = time.time()
    record = PARTS[part][1](made[number], number, TOOLS[part])
    return {"case": made[number].name, **record, "seconds": [round(between - start, 1), round(time.time() - between, 1)]}


def judge_part(part: str, made: list[Case], pool, workers: int, end: float, folder: pathlib.Path, *how) -> dict:
    """{case: record} of a part, from FOLDER where they exist. Starts no case after the time `end`."""
    path, start = folder / f"{part}.jsonl", time.time()
    records = {r["case"]: r for r in map(json.loads, path.read_text().splitlines())} if path.exists() else {}
    names = [case.name for case in (made[:AGREEMENT_CASES] if part == "agreement" else made)]
    todo, running = [i for i, name in enumerate(names) if name not in records], {}
    while (todo and time.time() < end) or running:
        while todo and len(running) < workers and time.time() < end:
            number = todo.pop(0)
            running[pool.submit(render_and_judge, part, made, number, *how)] = number
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
    """`run.py evaluate`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--fabula", type=pathlib.Path, required=True, help="the engine's executable")
    parser.add_argument("--films", type=pathlib.Path, default=CACHE / "films", help="folder for films and judgements")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="share of the usual number of films, for a trial")
    parser.add_argument("--budget", type=float, help="minutes after which no film is started; three quarters are for single shots")
    parser.add_argument("--every", type=int, help="send every Nth single shot through the autoencoder (default 1; with --budget 3)")
    parser.add_argument("--out", type=pathlib.Path, help="default: BUNDLE/REPORT.md")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    options = parser.parse_args()
    about = (options.bundle / "fabula.json").read_bytes()
    folder = options.films / hashlib.sha256(about).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    every, start, results = options.every or (3 if options.budget else 1), time.time(), {}
    with concurrent.futures.ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn"), init_worker, (options.threads,)) as pool:
        for part in options.only:
            kind = PARTS[part][0]
            share = 0.75 if part == "shots" and "prompts" in options.only else 1.0
            end = start + 60 * share * options.budget if options.budget else float("inf")
            made = cases(kind, folder, max(4, round(COUNT[kind] * options.share)))
            results[part] = judge_part(part, made, pool, options.workers, end, folder, options.fabula, options.bundle, every)
    measured = CACHE / "distil_measured.json"
    distilled = [json.loads(line) for line in measured.read_text().splitlines()] if measured.exists() else []
    text = report.compose({part: records for part, records in results.items() if records}, json.loads(about), judge_picture.judges()[1],
                          judge_picture.judges()[3], distilled)
    print(text)
    (options.out or options.bundle / "REPORT.md").write_text(text)
