"""REPORT.md from the judgements of `evaluate.py`: shares with Wilson's 95 % interval, means and medians with a bootstrap's, both over films."""
import itertools

import numpy as np

import motion
from intervals import wilson
from training import WORLD

ASPECTS = ("place", "time", "actors", "lone actor", "action", "lone action", "direction", "binding")
FRAME_MS = 1000 / 24  # of the delivered film
IDS = {kind: {entry["id"] for entry in WORLD[kind]} for kind in ("actors", "places", "actions")}


# ---- figures with intervals

def share(groups: list[list[bool]]) -> str:
    """Mean over films of the share of right shots, in per cent; the interval counts films, not shots."""
    groups = [g for g in groups if g]
    if not groups:
        return "–"
    p = float(np.mean([np.mean(g) for g in groups]))
    low, high = wilson(p, len(groups))
    return f"{100 * p:.1f} % ({100 * low:.0f}–{100 * high:.0f}; {sum(map(len, groups))})"


def spread(values, statistic=np.mean, form: str = "{:.2f}") -> str:
    """A statistic of a sample [n] or [n, k] and its 95 % interval over 1000 resamples."""
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values).reshape(len(values), -1).all(1)]
    if not len(values):
        return "–"
    rng = np.random.default_rng(0)
    low, high = np.quantile([statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(1000)], (0.025, 0.975))
    return f"{form.format(statistic(values))} ({form.format(low)}–{form.format(high)}; {len(values)})"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(row) + " |" for row in rows), ""]


# ---- the planner

def happenings(plan: dict) -> list[tuple]:
    """What a plan shows, one entry a run of equal shots: (place, time, {(actor, action)})."""
    times, found = {p["id"]: p["time_of_day"] for p in plan["places"]}, []
    for shot in plan["shots"]:
        beats = {b["who"]: b["what"] for b in shot["action_beats"]}
        entry = (shot["place"], times.get(shot["place"]), frozenset((m["id"], beats.get(m["id"], "stands")) for m in shot["cast"]))
        found += [entry] if not found or found[-1] != entry else []
    return found


def in_order(wanted: list, found: list) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(found) + 1)
    for a in wanted:
        row = list(itertools.accumulate(range(1, len(found) + 1), lambda best, j, old=row: max(best, old[j], old[j - 1] + (a == found[j - 1])), initial=0))
    return row[-1]


def plan_figures(wanted: dict, made: dict | None) -> dict:
    """An engine's plan against the one that its prompt was made from."""
    if made is None:
        return {"made": False, "events": [False] * len(happenings(wanted)), "violations": 0, "lines": [False] * sum(bool(s["dialogue"]) for s in wanted["shots"]), "shots": False}
    events, lines = happenings(wanted), [s["dialogue"][0]["text"] for s in wanted["shots"] if s["dialogue"]]
    said = [line["text"] for s in made["shots"] for line in s["dialogue"]]
    named = {"actors": {m["id"] for s in made["shots"] for m in s["cast"]}, "places": {s["place"] for s in made["shots"]},
             "actions": {b["what"] for s in made["shots"] for b in s["action_beats"]}}
    right = in_order(events, happenings(made))
    return {"made": True, "events": [True] * right + [False] * (len(events) - right), "violations": sum(len(named[k] - IDS[k]) for k in named),
            "lines": [line in said for line in lines], "shots": len(made["shots"]) == len(wanted["shots"])}


# ---- sections; each takes a part's records

def aspects(groups: list[list[dict]]) -> list[str]:
    return [share([[shot[a] for shot in shots if a in shot] for shots in groups]) for a in ASPECTS]


def prompts(records: list[dict]) -> list[str]:
    names = {"film": "films", "another's meaning": "control: films, judged by another prompt's meaning", "rendered": "the renderer's pictures"}
    lines = [f"## What prompts become ({len(records)} prompts, from typing to film)", "",
             *table(["pictures", *ASPECTS], [[said, *aspects([r[name] for r in records])] for name, said in names.items()])]
    plans = [r["plan"] for r in records]
    lines += ["## The planner, on the same prompts", "",
              *table(["figure", "value"], [["films made", share([[p["made"]] for p in plans])], ["events found, in order", share([p["events"] for p in plans])],
                                           ["plans with every event", share([[all(p["events"])] for p in plans])], ["lines word for word", share([p["lines"] for p in plans])],
                                           ["number of shots right", share([[p["shots"]] for p in plans])],
                                           ["plans naming what the world has not", share([[p["violations"] > 0] for p in plans])]])]
    return lines + identity(records)


def identity(records: list[dict]) -> list[str]:
    rows = []
    for of, said in (("rendered", "the renderer's pictures"), ("film", "films")):
        looks = [[v for v in r["looks"] if v["of"] == of] for r in records]
        same = [(a, b) for shots in looks for a, b in itertools.combinations(shots, 2) if a["actor"] == b["actor"]]
        flat = [(i, v) for i, shots in enumerate(looks) for v in shots]
        rng = np.random.default_rng(0)
        other = []
        for _ in range(200 * len(flat)):
            (i, a), (j, b) = (flat[k] for k in rng.integers(0, len(flat), 2))
            if i != j and a["actor"] != b["actor"]:
                other.append((a, b))
            if len(other) >= max(200, len(same)):
                break
        cosine = lambda pairs: [float(np.dot(a["appearance"], b["appearance"])) for a, b in pairs]
        mine, theirs = cosine(same), cosine(other)
        above = float(np.mean([np.mean(np.array(theirs) < c) for c in mine])) if mine and theirs else float("nan")
        rows.append([said, share([[a["seen"] == b["seen"]] for a, b in same]), spread(mine), share([[a["seen"] == b["seen"]] for a, b in other]), spread(theirs), f"{100 * above:.1f} %"])
    return ["## A character across the shots of a film (alone in both; pairs of shots)", "",
            *table(["pictures", "read as the same actor", "cosine", "control: another character, same reading", "its cosine", "pairs closer than a control"], rows)]


def acts(records: list[dict]) -> list[str]:
    names = {"film": "films", "another's meaning": "control: films, judged by another plan's meaning", "rendered": "the renderer's pictures",
             "autoencoder": "the renderer's pictures through the video autoencoder"}
    lines = [f"## What single shots show ({len(records)} silent shots from plans)", "",
             *table(["pictures", *ASPECTS], [[said, *aspects([[r[name]] for r in records])] for name, said in names.items()])]
    lines += actions([r["actions"] for r in records])
    lags = [r["lag"] for r in records if "lag" in r]
    said = {"film": "films", "film + 100 ms": "control: films' sound 100 ms late", "film - 100 ms": "control: films' sound 100 ms early", "rendered": "the renderer's sound",
            "autoencoder": "that through the audio autoencoder"}
    lines += [f"## Sound in step ({len(lags)} of these shots, with walks and jumps)", "",
              *table(["sound", "median distance from the score, ms", "within one frame (42 ms)"],
                     [[name, spread([abs(v[key]) for v in lags], np.median, "{:.0f}"), share([[abs(v[key]) <= FRAME_MS] for v in lags])] for key, name in said.items()])]
    flickers = [(r["flicker"], r["flicker_autoencoder"]) for r in records if "flicker" in r]
    ratio = lambda v: float(v[:, 0].mean() / v[:, 1].mean())
    lines += ["## Flicker and reconstruction, on the same shots", "",
              *table(["figure", "value"], [["difference of successive frames where nothing moves, films, 8-bit levels", spread([f for f, _ in flickers])],
                                           ["the same, the renderer's pictures through the video autoencoder", spread([a for _, a in flickers])],
                                           ["ratio", spread(flickers, ratio) if flickers else "–"],
                                           ["video autoencoder, PSNR of whole frames, dB", spread([r["psnr"] for r in records])],
                                           ["of the actors' pixels, dB", spread([r["psnr_actor"] if r["psnr_actor"] is not None else np.nan for r in records])]])]
    return lines


def actions(shots: list[list[tuple[str, str]]]) -> list[str]:
    """What is read for each action, of actors alone."""
    pairs = [shot[0] for shot in shots if len(shot) == 1]
    rows = [[wanted, *(str(sum(r == read for w, r in pairs if w == wanted)) for read in motion.ACTIONS)] for wanted in motion.ACTIONS]
    return ["Actors alone: what each was to do, and what was read how often.", "", *table(["", *motion.ACTIONS], rows)]


def spoken(records: list[dict]) -> list[str]:
    names = {"rendered": "the renderer's sound (the teacher)", "autoencoder": "that through the audio autoencoder", "film": "films", "another's film": "control: another line's film"}
    rate = lambda v: 100 * float(v[:, 0].sum() / v[:, 1].sum())
    more = lambda v: 100 * float((v[:, 0] - v[:, 1]).sum() / v[:, 2].sum())
    rows = []
    for key, name in names.items():
        said = [r[key] for r in records]
        rows.append([name, spread([(s["wrong"], s["words"]) for s in said], rate, "{:.0f} %"),
                     spread([(s["wrong"], r["rendered"]["wrong"], s["words"]) for s, r in zip(said, records)], more, "{:+.0f}"),
                     spread([s["stoi"] for s in said]), spread([s["semitones"] for s in said], np.median, "{:.1f}")])
    return [f"## Speech ({len(records)} lines)", "", *table(["sound", "words wrong (pocketsphinx)", "minus the teacher's, points", "STOI", "pitch error, semitones"], rows),
            "STOI and pitch against the teacher's voice alone, aligned; the renderer's sound has the place's ambience under it. For STOI noise alone gets some .3.", ""]


def agreement(records: list[dict]) -> list[str]:
    names = {"same": "same plan and seed", "another seed": "control: another seed", "another plan": "control: another plan"}
    return ["## The engine and diffusers", "",
            *table(["film of the engine (fp32, through H.264) against frames of the same parts in diffusers", "PSNR, dB"],
                   [[said, spread([r.get(key, np.nan) for r in records], form="{:.1f}")] for key, said in names.items()])]


# What nano was to reach, and mini (in brackets, where it is more): figure, value from {part: [record]}, aim, whether less is better, unit.
mean = lambda values: float(np.nanmean([np.nan if v is None else v for v in values]))
right = lambda records, aspect: 100 * mean([r["film"][aspect] for r in records if aspect in r["film"]])
words = lambda records, key: 100 * sum(r[key]["wrong"] for r in records) / sum(r[key]["words"] for r in records)
AIMS = (("place", lambda r: right(r["acts"], "place"), "95", False, " %"),
        ("actors", lambda r: right(r["acts"], "actors"), "85 (95)", False, " %"),
        ("action", lambda r: right(r["acts"], "action"), "70 (90)", False, " %"),
        ("binding of two actors", lambda r: right(r["acts"], "binding"), "(85)", False, " %"),
        ("sound, distance from the score", lambda r: float(np.median([abs(v["lag"]["film"]) for v in r["acts"] if "lag" in v])), "42", True, " ms"),
        ("words wrong, beyond the teacher's", lambda r: words(r["spoken"], "film") - words(r["spoken"], "rendered"), "(5)", True, " points"),
        ("flicker, times the autoencoder's", lambda r: mean([v["flicker"] for v in r["acts"] if "flicker" in v]) / mean([v["flicker_autoencoder"] for v in r["acts"] if "flicker" in v]), "1.5", True, ""),
        ("video autoencoder, whole frames", lambda r: mean([v["psnr"] for v in r["acts"]]), "30 (33)", False, " dB"),
        ("video autoencoder, actors", lambda r: mean([v["psnr_actor"] for v in r["acts"]]), "26", False, " dB"))


def aims(results: dict) -> list[str]:
    """Which aims are reached, and what is missing from the others."""
    rows = []
    for name, value, aim, less, unit in AIMS:
        reached, wanted = value(results), float(aim.split()[0].strip("()"))
        short = reached - wanted if less else wanted - reached
        digits = 1 if unit else 2
        rows.append([name, f"{reached:.{digits}f}{unit}", aim + unit, "reached" if short <= 0 else f"missed by {short:.{digits}f}{unit.replace(' %', ' points')}"])
    return ["## Against the aims", "", "Those set for this model; in brackets what a model trained on a GPU is to reach, where that is more or nothing else is set.", "",
            *table(["figure, of single shots and lines", "value", "aim", ""], rows)]


def evaluations(records: list[dict]) -> list[str]:
    """What fewer evaluations cost, from the lines that `distil.py` measures."""
    if not records:
        return []
    far, percent = next(r for r in records if r["evaluations"] == max(v["evaluations"] for v in records)), lambda r: [f"{100 * r[k]:.0f} %" for k in ("place", "time", "actors")]
    names = {"before": "not distilled", "after": "distilled"}
    rows = [[str(r["evaluations"]), names[r["model"]], *([f"{r['picture_error']:.3f}", f"{r['sound_error']:.3f}"] if r is not far else ["–", "–"]), *percent(r)] for r in records]
    return [f"## Fewer evaluations ({far['shots']} held-out shots, from the same noise, without guidance)", "",
            *table(["evaluations", "transformer", f"distance of the picture's latents from {far['evaluations']} evaluations", "of the sound's", "place", "time", "actors"], rows),
            "Distances are root mean square errors of normalised latents. By `tools/train/distil.py`, in Python; everything above is the engine's output.", ""]


def compose(results: dict, about: dict, judge_figures: dict, motion_figures: dict, distilled: list[dict]) -> str:
    """The report's text; results: {part: {case: record}}; distilled: the lines of distil.py, if it has measured."""
    lines = [f"# What {about['name']}'s films show", "",
             f"Films of `fabula render`, {about['steps']} evaluations a shot, by `tools/train/evaluate.py`. In brackets the 95 % interval and the number of samples "
             "(shots, lines or pairs; an interval of shares counts films). Nothing here was judged by the model that made it.", ""]
    if {"acts", "spoken"} <= results.keys():
        lines += aims({part: list(records.values()) for part, records in results.items()})
    for part, write in (("prompts", prompts), ("acts", acts), ("spoken", spoken), ("agreement", agreement)):
        lines += write(list(results[part].values())) if part in results else []
    lines += evaluations(distilled)
    percent = lambda figures, keys: " / ".join(f"{100 * figures[k]:.1f} %" for k in keys)
    lines += ["## The judges, on held-out pictures of the renderer", ""]
    lines += [f"- recogniser, single frames, {name} (place / time / every actor's presence): {percent(figures, ('place', 'time', 'actors'))}" for name, figures in judge_figures.items()]
    lines += [f"- reader of motion, made worse by blur and noise (action / direction / mark of an actor): {percent(motion_figures, ('action', 'direction', 'mark'))}",
              f"- chance: place {100 / len(WORLD['places']):.0f} %, time {100 / len(WORLD['times']):.0f} %, lone actor {100 / len(WORLD['actors']):.0f} %, "
              f"action {100 / len(motion.ACTIONS):.0f} %, direction 50 %"]
    return "\n".join(lines) + "\n"
