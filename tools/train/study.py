"""Is a transformer conditioned on the planner's own states better off than one whose text is read anew? And sound made with the picture, or after it?

    python tools/train/study.py [--seeds 3] [--steps 250] [--film-steps 120]      writes assets/models/nano/STUDY.md

Two comparisons on the cached latents, at the smallest size that tells places apart. Within a seed every arm has the same first weights, data, order
of batches, noise and number of steps; it differs in one thing. A run takes minutes; each is kept in .cache/train/study.jsonl and not done twice.
"""

import argparse
import functools
import itertools
import json
import math
import time

import numpy as np
import torch

import dit
import latents
import layout
import planner
import recogniser
import tokens
import video_vae
from training import CACHE, DEVICE, ROOT, Average, Optimizer, threads

SIZES = dict(hidden_size=64, num_attention_heads=1, num_layers=3, ffn_dim=192)
TEXT_ARMS = {"kept": "states kept from planning", "alone": "the shot's own tokens read alone by the same language model", "other": "another plan's states"}
SOUND_ARMS = {"joint": "picture and sound in one sequence", "cascade": "picture alone, then sound given the finished picture"}
SHARDS = {"image": 14, "shot": 24}
HELD_OUT_SHARDS = 2  # of each kind, never trained on
LEVELS = (0.3, 0.6, 0.9)
JUDGED = 60  # generated pictures of a run that the recogniser reads
T95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57}  # Student's t over n paired seeds


# ---- the conditioning of each arm

@torch.no_grad()
def alone(model, vocabulary, entry):
    """[Rows] of an entry's shots: the same tokens as the kept rows, but the language model sees nothing else."""
    encoded, rows = tokens.encode_plan(vocabulary, entry["prompt"], entry["plan"]), []
    for shot in entry["shots"]:
        untimed, score, starts = encoded.shots[shot["shot"]]
        ids = torch.tensor([[encoded.ids[k] for k in sorted(untimed + score)]], device=DEVICE)
        states = model.model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states[planner.TAP_LAYER][0].float().cpu()
        order = {k: i for i, k in enumerate(sorted(untimed + score))}
        rows.append(latents.Rows(states[[order[k] for k in untimed]].half(), states[[order[k] for k in score]].half(), starts))
    return rows


def shards(kind):
    """(training items, held-out items) of the first SHARDS cached shards of a kind; each item has its rows for every arm and what it should show."""
    names = sorted(p.stem for p in (CACHE / "latents").glob(f"{kind}_*.pt"))[:SHARDS[kind]]
    model, vocabulary = planner.load(latents.BUNDLE / "planner")
    tap = latents.tapper(latents.BUNDLE / "planner")
    parts = []
    for name in names:
        kept, items = iter(latents.states(name, tap)), []
        for entry in torch.load(CACHE / "latents" / f"{name}.pt", weights_only=False):
            again_rows = alone(model, vocabulary, entry) if kind == "image" else [None] * len(entry["shots"])
            for shot, again in zip(entry["shots"], again_rows):
                planned = entry["plan"]["shots"][shot["shot"]]
                place = next(p for p in entry["plan"]["places"] if p["id"] == planned["place"])
                items.append({**shot, "kept": next(kept), "alone": again, "plan": entry["seed"],
                              "meaning": (place["id"], place["time_of_day"], {m["id"] for m in planned["cast"]})})
        if items[0]["audio"] is not None:
            parts.append(items)
    train, held_out = sum(parts[:-HELD_OUT_SHARDS], []), sum(parts[-HELD_OUT_SHARDS:], [])
    for items in (train, held_out):
        for i, item in enumerate(items):  # half the list away there is another plan
            item["other"] = items[(i + len(items) // 2) % len(items)]["kept"]
            assert items[(i + len(items) // 2) % len(items)]["plan"] != item["plan"]
    return train, held_out


def batch_of(items, arm):
    return latents.collate([{**item, "rows": item[arm]} for item in items])


def without_sound(batch):
    nt, na = batch["text"].shape[1], batch["audio"].shape[1]
    return {**batch, "audio": batch["audio"][:, :0], "position": torch.cat([batch["position"][:, :nt], batch["position"][:, nt + na:]], 1)}


# ---- one run

def build(seed, data):
    torch.manual_seed(seed)
    item = data[0]
    return dit.build(item["kept"].untimed.shape[1], item["audio"].shape[0], item["video"].shape[0], **SIZES)


def train(seed, steps, size, data, arm, sound="joint"):
    """A trained model (its average). In the cascade, every other batch is of the picture alone and of the sound under a clean picture."""
    model = build(seed, data)
    average, optimizer = Average(model, 0.99), Optimizer(model, lambda n: "_blocks" in n and "adaln" not in n, 5e-3, 2e-3, weight_decay=0.01)
    rng, generator = np.random.default_rng([11, seed]), torch.Generator().manual_seed(seed)
    by_length = sorted(data, key=lambda item: len(item["kept"].untimed) + len(item["kept"].score))
    for step in range(steps):
        batch = batch_of(dit.draw_batch(rng, by_length, size), arm)
        video_level, audio_level = dit.draw_levels(rng, size)
        noise = [torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio")]
        if sound == "cascade" and step % 2:
            loss = dit.losses(model, batch, torch.zeros_like(video_level), audio_level, *noise)[2] * dit.AUDIO_WEIGHT
        elif sound == "cascade":
            loss = dit.losses(model, without_sound(batch), video_level, audio_level, noise[0], noise[1][:, :0])[0]
        else:
            weighted, _, audio = dit.losses(model, batch, video_level, audio_level, *noise)
            loss = weighted + dit.AUDIO_WEIGHT * audio
        loss.backward()
        optimizer.step(min(1, (step + 1) / 30) * min(1, 5 * (1 - step / steps) + 0.02))
        average.update(model)
    average.swap(model)
    return model.eval()


@torch.no_grad()
def errors(model, data, arm, sound="joint"):
    """Mean squared velocity errors of picture and sound over held-out items and levels, always with the same noise."""
    generator, out = torch.Generator().manual_seed(5), {"picture": [], "sound": []}
    for level in LEVELS:
        for i in range(0, len(data), 16):
            batch = batch_of(data[i:i + 16], arm)
            sigma = torch.full((len(batch["video"]),), level, device=DEVICE)
            noise = [torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio")]
            if sound == "joint":
                _, picture, heard = dit.losses(model, batch, sigma, sigma, *noise)
            else:
                picture = dit.losses(model, without_sound(batch), sigma, sigma, noise[0], noise[1][:, :0])[1]
                heard = dit.losses(model, batch, torch.zeros_like(sigma), sigma, *noise)[2]
            out["picture"].append(float(picture))
            out["sound"].append(float(heard))
    return {k: float(np.mean(v)) for k, v in out.items()}


@torch.no_grad()
def shown(model, data, arm, vae, judge):
    """Shares of right places, times and lone actors of generated pictures, read by the recogniser."""
    mean, std = video_vae.statistics(vae)
    right = {"place": [], "time": [], "lone actor": []}
    for k, item in enumerate(data[::max(1, len(data) // JUDGED)][:JUDGED]):
        place, hour, cast = item["meaning"]
        z, _ = dit.sample(model, latents.Rows(item[arm].untimed.float(), item[arm].score.float(), item[arm].starts), k, latent_frames=1)
        seen = recogniser.judge(judge, video_vae.to_pixels(video_vae.decode(vae, z[None] * std + mean)[0])[3:4], len(cast))
        right["place"].append(seen["place"] == place)
        right["time"].append(seen["time"] == hour)
        if len(cast) == 1:
            right["lone actor"].append(seen["actors"] == cast)
    return {k: float(np.mean(v)) for k, v in right.items()}


# ---- all runs, and what they say

def runs(seeds, steps, film_steps):
    """Every run's figures, [dict]; those in the log are taken from there."""
    log = CACHE / "study.jsonl"
    done = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    vae, judge = video_vae.load(CACHE / "video_vae_final.pt"), recogniser.load()[0]
    data = functools.cache(shards)
    for seed, (study, kind, count, size, arms) in itertools.product(range(seeds), (("text", "image", steps, 12, TEXT_ARMS), ("sound", "shot", film_steps, 8, SOUND_ARMS))):
        for arm in arms:
            if any((r["study"], r["seed"], r["arm"], r["steps"]) == (study, seed, arm, count) for r in done):
                continue
            start, text, sound = time.process_time(), *((arm, "joint") if study == "text" else ("kept", arm))
            known, held_out = data(kind)
            model = train(seed, count, size, known, text, sound)
            record = {"study": study, "seed": seed, "arm": arm, "steps": count, "cpu_s": round(time.process_time() - start), "batch": size, "items": len(known),
                      "held_out": len(held_out), **errors(model, held_out, text, sound)}
            if study == "text":
                record |= shown(model, held_out, text, vae, judge)
            done.append(record)
            with log.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(json.dumps(record), flush=True)
    return [r for r in done if r["seed"] < seeds and r["steps"] == (steps if r["study"] == "text" else film_steps)]


def paired(records, study, arm, base, figure):
    """Mean of arm minus base over the seeds and the half width of its 95 % interval."""
    of = lambda a: {r["seed"]: r[figure] for r in records if (r["study"], r["arm"]) == (study, a)}
    mine, other = of(arm), of(base)
    d = [mine[s] - other[s] for s in sorted(mine)]
    return float(np.mean(d)), T95[len(d)] * float(np.std(d, ddof=1)) / math.sqrt(len(d))


def table(records, study, arms, figures):
    base, lines = next(iter(arms)), ["| arm | " + " | ".join(figures) + " |", "|---" * (len(figures) + 1) + "|"]
    for arm, name in arms.items():
        cells = []
        for figure in figures:
            percent = figure in ("place", "time", "lone actor")
            show = (lambda v, sign="": f"{100 * v:{sign}.1f} %") if percent else (lambda v, sign="": f"{v:{sign}.4f}")
            mean = float(np.mean([r[figure] for r in records if (r["study"], r["arm"]) == (study, arm)]))
            cell = show(mean)
            if arm != base:
                difference, half = paired(records, study, arm, base, figure)
                cell += f" ({show(difference, '+')} ± {show(half)})"
            cells.append(cell)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def report(records, seeds):
    first = {s: next(r for r in records if r["study"] == s) for s in ("text", "sound")}
    return "\n".join([
        "# Unified or stitched: a small study", "",
        f"Transformers of {SIZES['hidden_size']} wide and {SIZES['num_layers']} layers, {seeds} seeds an arm. Within a seed all arms have the same first weights, data, batches, noise and "
        "number of steps. Errors are of the velocity, mean square over held-out shots and noise levels .3, .6, .9: smaller is better. In brackets: the difference from the first arm, "
        "paired by seed, with its 95 % interval (Student's t over the seeds); one that spans zero says nothing.", "",
        f"## Where the text's states come from ({first['text']['steps']} steps of {first['text']['batch']} single pictures with their sound, {first['text']['items']} pictures, "
        f"{first['text']['held_out']} held out)", "",
        *table(records, "text", TEXT_ARMS, ("picture", "sound", "place", "time", "lone actor")), "",
        f"Place, time and lone actor: of {min(JUDGED, first['text']['held_out'])} pictures that each run generated for held-out plans, read by the recogniser. The second arm has the same tokens in "
        "the same order as the first, and as many rows; the language model just sees nothing around them. The third is the control: what states that say nothing about the shot lead to.", "",
        f"## Sound with the picture, or after it ({first['sound']['steps']} steps of {first['sound']['batch']} whole shots, {first['sound']['items']} shots, {first['sound']['held_out']} held out)", "",
        *table(records, "sound", SOUND_ARMS, ("picture", "sound")), "",
        "The cascade shares its weights between the two tasks and gives each half of the steps. Its sound is measured under the true, clean picture, which flatters it: in use it would get a "
        "generated one. The joint model's sound is measured beside a picture at the same noise level.", "",
        f"`python tools/train/study.py --seeds {seeds} --steps {first['text']['steps']} --film-steps {first['sound']['steps']}`. What holds at this size need not hold at another."]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=250, help="of the arms of text")
    parser.add_argument("--film-steps", type=int, default=120, help="of the arms of sound")
    arguments = parser.parse_args()
    threads(1)
    text = report(runs(arguments.seeds, arguments.steps, arguments.film_steps), arguments.seeds)
    (ROOT / "assets/models/nano/STUDY.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
