"""Composes REPORT.md from the judgements of `evaluate.py`: shares with Wilson's 95 % interval, means and medians with a bootstrap's, both over films."""
import itertools
import json

import numpy as np

from judge import motion
from judge.intervals import wilson
from judge.judge_world import MOODS, PROPS, WORLD, place_of

ASPECTS = ("place", "time", "weather", "actors", "lone actor", "lone mood", "props", "some props", "action", "lone action", "direction", "binding")
FRAME_MS = 1000 / WORLD["fps"]  # at the model's own rate
IDS = {kind: {entry["id"] for entry in WORLD[kind]} for kind in ("actors", "places", "actions")}


# ---- figures with intervals

def share(groups: list[list[bool]]) -> str:
    """Mean over films of the share of right shots, in per cent. The interval counts films, not shots."""
    groups = [g for g in groups if g]
    if not groups:
        return "–"
    p = float(np.mean([np.mean(g) for g in groups]))
    low, high = wilson(p, len(groups))
    return f"{100 * p:.1f} % ({100 * low:.0f}–{100 * high:.0f}; {sum(map(len, groups))})"


def spread(values, statistic=np.mean, form: str = "{:.2f}") -> str:
    """A statistic of a sample [n] or [n, k] with its 95 % interval over 1000 resamples."""
    values = np.asarray(values, np.float64)
    if not values.size:
        return "–"
    values = values[np.isfinite(values).reshape(len(values), -1).all(1)]
    if not len(values):
        return "–"
    rng = np.random.default_rng(0)
    low, high = np.quantile([statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(1000)], (0.025, 0.975))
    return f"{form.format(statistic(values))} ({form.format(low)}–{form.format(high)}; {len(values)})"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(row) + " |" for row in rows), ""]


# ---- the planner

def happenings(plan: dict) -> list[tuple]:
    """What a plan shows, one entry per run of equal shots: (place, time, weather, {(actor, action, mood)}, {props})."""
    found = []
    for shot in plan["shots"]:
        place, beats = place_of(plan, shot), {b["who"]: b["what"] for b in shot["action_beats"]}
        cast = frozenset((m["id"], beats.get(m["id"], "stands"), m.get("mood") or MOODS[0]) for m in shot["cast"])
        entry = (place["id"], place["time_of_day"], place["weather"], cast, frozenset(p["id"] for p in shot.get("props", [])))
        found += [entry] if not found or found[-1] != entry else []
    return found


def in_order(wanted: list, found: list) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(found) + 1)
    for a in wanted:
        row = list(itertools.accumulate(range(1, len(found) + 1), lambda best, j, old=row: max(best, old[j], old[j - 1] + (a == found[j - 1])), initial=0))
    return row[-1]


def plan_figures(wanted: dict, made: dict | None) -> dict:
    """The engine's plan compared with the plan that its prompt was made from."""
    if made is None:
        return {"made": False, "events": [False] * len(happenings(wanted)), "violations": 0,
                "lines": [False] * sum(bool(s["dialogue"]) for s in wanted["shots"]), "shots": False}
    events, lines = happenings(wanted), [s["dialogue"][0]["text"] for s in wanted["shots"] if s["dialogue"]]
    said = [line["text"] for s in made["shots"] for line in s["dialogue"]]
    named = {"actors": {m["id"] for s in made["shots"] for m in s["cast"]}, "places": {place_of(made, s)["id"] for s in made["shots"]},
             "actions": {b["what"] for s in made["shots"] for b in s["action_beats"]}}
    right = in_order(events, happenings(made))
    return {"made": True, "events": [True] * right + [False] * (len(events) - right), "violations": sum(len(named[k] - IDS[k]) for k in named),
            "lines": [line in said for line in lines], "shots": len(made["shots"]) == len(wanted["shots"])}


# ---- sections; each takes a part's records

def aspects(groups: list[list[dict]]) -> list[str]:
    """Table cells: the share of each aspect."""
    return [share([[shot[a] for shot in shots if a in shot] for shots in groups]) for a in ASPECTS]


def prompts(records: list[dict]) -> list[str]:
    """Sections on films from prompts."""
    names = {"film": "films", "another's meaning": "control: films, judged by another prompt's meaning", "rendered": "the renderer's pictures"}
    lines = [f"## What prompts become ({len(records)} prompts, from typing to film)", "",
             *table(["pictures", *ASPECTS], [[said, *aspects([r[name] for r in records])] for name, said in names.items()])]
    plans = [r["plan"] for r in records]
    lines += ["## The planner, on the same prompts", "",
              *table(["figure", "value"], [["films made", share([[p["made"]] for p in plans])], ["events found, in order", share([p["events"] for p in plans])],
                                           ["plans with every event", share([[all(p["events"])] for p in plans])],
                                           ["lines word for word", share([p["lines"] for p in plans])],
                                           ["number of shots right", share([[p["shots"]] for p in plans])],
                                           ["plans that name something outside the world", share([[p["violations"] > 0] for p in plans])]])]
    return lines + identity(records)


def identity(records: list[dict]) -> list[str]:
    """Section on a character's looks across the shots of a film."""
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
        rows.append([said, share([[a["seen"] == b["seen"]] for a, b in same]), spread(mine), share([[a["seen"] == b["seen"]] for a, b in other]),
                     spread(theirs), f"{100 * above:.1f} %"])
    return ["## A character across the shots of a film (alone in both; pairs of shots)", "",
            *table(["pictures", "read as the same actor", "cosine", "control: another character, same reading", "its cosine", "pairs closer than a control"],
                   rows)]


def shots(records: list[dict]) -> list[str]:
    """Sections on films of one shot."""
    names = {"film": "films", "another's meaning": "control: films, judged by another plan's meaning", "rendered": "the renderer's pictures",
             "autoencoder": "the renderer's pictures through the video autoencoder"}
    lines = [f"## What single shots show ({len(records)} shots from plans)", "",
             *table(["pictures", *ASPECTS], [[said, *aspects([[r[name]] for r in records if name in r])] for name, said in names.items()]),
             "Weather is asked for where a place has more than one; props are right if all are there and no other, in all shots and in those that have any; "
             "half of the actors are calm. Action, direction and binding are of all actors of a shot.", ""]
    lines += actions([r["actions"] for r in records])
    lags = [r["lag"] for r in records if "lag" in r]
    said = {"film": "films", "film + 100 ms": "control: films' sound 100 ms late", "film - 100 ms": "control: films' sound 100 ms early",
            "rendered": "the renderer's sound",
            "autoencoder": "that through the audio autoencoder"}
    lines += [f"## Sound in step ({len(lags)} of these shots: silent ones with walks, jumps, spins, flights, strokes, dances or snores)", "",
              *table(["sound", "median distance from the score, ms", f"within one frame ({FRAME_MS:.0f} ms)"],
                     [[name, spread([abs(v[key]) for v in lags], np.median, "{:.0f}"), share([[abs(v[key]) <= FRAME_MS] for v in lags])] for key,
                      name in said.items()]),
              "By chance half are within a frame: lags of up to 160 ms are looked at.", ""]
    flickers = [(r["flicker"], r["flicker_autoencoder"]) for r in records if "flicker" in r]
    ratio = lambda v: float(v[:, 0].mean() / v[:, 1].mean())
    lines += ["## Flicker and reconstruction, on the same shots", "",
              *table(["figure", "value"], [["difference of successive frames where nothing moves, films, 8-bit levels", spread([f for f, _ in flickers])],
                                           ["the same, the renderer's pictures through the video autoencoder", spread([a for _, a in flickers])],
                                           ["ratio", spread(flickers, ratio) if flickers else "–"],
                                           ["video autoencoder, PSNR of whole frames, dB", spread([r["psnr"] for r in records if "psnr" in r])],
                                           ["of the actors' pixels, dB", spread([r["psnr_actor"] for r in records if r.get("psnr_actor") is not None])]])]
    return lines + seams(records) + spoken([r["said"] for r in records if "said" in r])


def seams(records: list[dict]) -> list[str]:
    """Section on patch borders."""
    names = {"rendered": "the renderer's pictures", "coded": "those through H.264, as films are", "autoencoder": "those through the video autoencoder",
             "film": "films"}
    rows = [[said, *(spread([r["borders"][of][size] for r in records if of in r["borders"]]) for size in ("8", "16", "32"))] for of, said in names.items()]
    return ["## Borders of patches", "", *table(["pictures, at the model's own scale", "8 pixels", "16 pixels", "32 pixels"], rows),
            "Mean jump between neighbouring columns across the borders of patches of a size, over the jump inside 8 pixels: 1 where none is to be seen.", ""]


def actions(shots: list[list[tuple[str, str]]]) -> list[str]:
    """Table of the actions read for each planned action, lone actors only."""
    pairs = [shot[0] for shot in shots if len(shot) == 1]
    rows = [[wanted, *(str(sum(r == read for w, r in pairs if w == wanted)) for read in motion.ACTIONS)] for wanted in motion.ACTIONS
            if wanted not in motion.PAIRS]
    return ["Actors alone: what each was to do, and what was read how often.", "", *table(["", *motion.ACTIONS], rows)]


rate = lambda v: 100 * float(v[:, 0].sum() / v[:, 1].sum())  # per cent wrong of an array of (wrong, words)
beyond = lambda v: 100 * float((v[:, 0] - v[:, 1]).sum() / v[:, 2].sum())  # points beyond the teacher, of an array of (wrong, the teacher's wrong, words)


def spoken(records: list[dict]) -> list[str]:
    """Section on speech."""
    names = {"rendered": "the renderer's sound (the teacher with ambience)", "autoencoder": "that through the audio autoencoder", "film": "films",
             "another's line": "control: films, judged by another's line"}
    rows = []
    for key, name in names.items():
        of, control = [(r[key], r["rendered"]) for r in records], key == "another's line"
        whole = share([[s["wrong"] == 0] for s, _ in of])
        known = [(s["wrong_sphinx"], s["words"]) for s, _ in of if s.get("wrong_sphinx") is not None]
        rows.append([name, spread([(s["wrong"], s["words"]) for s, _ in of], rate, "{:.0f} %"),
                     "" if control else spread([(s["wrong"], t["wrong"], s["words"]) for s, t in of], beyond, "{:+.1f}"), whole,
                     "" if control else spread(known, rate, "{:.0f} %"),
                     "" if control else spread([s["stoi"] for s, _ in of]), "" if control else spread([s["semitones"] for s, _ in of], np.median, "{:.1f}")])
    return [f"## Speech ({len(records)} lines)", "",
            *table(["sound", "words wrong (Whisper base)", "beyond the teacher's, points", "lines whole", "words wrong (pocketsphinx)", "STOI",
                    "pitch error, semitones"], rows),
            "Whisper base hears a whole shot in its window of 30 s, with all of English before it; numbers, contractions and spelling in one or two words "
            "evened out, a repeated phrase counted once, a line at most twice its words. pocketsphinx knows the words of lines alone; lines with "
            "others are left out. Beyond the teacher's: paired. STOI and pitch against the teacher's voice alone, aligned; the renderer's sound has the "
            "place's ambience under it. Noise alone has a STOI of about .3.", ""]


def agreement(records: list[dict]) -> list[str]:
    """Section on the engine against diffusers."""
    names = {"same": "same plan and seed", "another seed": "control: another seed", "another plan": "control: another plan"}
    return ["## The engine and diffusers", "",
            *table(["film of the engine (fp32, through H.264) against frames of the same parts in diffusers", "PSNR, dB"],
                   [[said, spread([r.get(key, np.nan) for r in records], form="{:.1f}")] for key, said in names.items()])]


# Aims of the model: figure, value from {part: [record]}, aim, whether lower is better, unit.
mean = lambda values: float(np.mean(values)) if len(values) else float("nan")
right = lambda records, aspect: 100 * mean([r["film"][aspect] for r in records["shots"] if aspect in r["film"]])
border = lambda records, of, size: mean([r["borders"][of][size] for r in records["shots"] if of in r["borders"]])
figure = lambda records, name: [r[name] for r in records["shots"] if r.get(name) is not None]


def heard(records: dict, key: str) -> float:
    """Words wrong beyond the teacher's, in points."""
    said = [r["said"] for r in records["shots"] if "said" in r]
    return beyond(np.array([(s[key]["wrong"], s["rendered"]["wrong"], s["rendered"]["words"]) for s in said])) if said else float("nan")


def same_actor(records: dict) -> float:
    """Per cent of pairs of shots of one character that are read as the same actor."""
    shots = [[v for v in r["looks"] if v["of"] == "film"] for r in records.get("prompts", [])]
    return 100 * mean([a["seen"] == b["seen"] for looks in shots for a, b in itertools.combinations(looks, 2) if a["actor"] == b["actor"]])


AIMS = (("video autoencoder, whole frames", lambda r: mean(figure(r, "psnr")), 30, False, " dB"),
        ("video autoencoder, actors", lambda r: mean(figure(r, "psnr_actor")), 26, False, " dB"),
        ("video autoencoder, borders of 8 pixels", lambda r: border(r, "autoencoder", "8"), 1.4, True, ""),
        ("video autoencoder, borders of 32 pixels", lambda r: border(r, "autoencoder", "32"), 1.4, True, ""),
        ("films, borders of 8 pixels", lambda r: border(r, "film", "8"), 1.6, True, ""),
        ("films, borders of 32 pixels", lambda r: border(r, "film", "32"), 1.8, True, ""),
        ("place", lambda r: right(r, "place"), 97, False, " %"),
        ("time", lambda r: right(r, "time"), 97, False, " %"),
        ("actors", lambda r: right(r, "actors"), 97, False, " %"),
        ("action", lambda r: right(r, "action"), 88, False, " %"),
        ("binding of two actors", lambda r: right(r, "binding"), 80, False, " %"),
        ("flicker, times the autoencoder's", lambda r: mean(figure(r, "flicker")) / mean(figure(r, "flicker_autoencoder")), 1.3, True, ""),
        ("sound, median distance from the score", lambda r: float(np.median([abs(v["film"]) for v in figure(r, "lag")] or [np.nan])), 83, True, " ms"),
        ("the same actor over the shots of a film", same_actor, 97, False, " %"),
        ("words wrong beyond the teacher's, audio autoencoder with ambience", lambda r: heard(r, "autoencoder"), 5, True, " points"),
        ("words wrong beyond the teacher's, films", lambda r: heard(r, "film"), 12, True, " points"))


def aims(results: dict) -> list[str]:
    """Section on the aims: which are reached, and by how much others are missed."""
    rows = []
    for name, value, wanted, less, unit in AIMS:
        reached = value(results)
        short = reached - wanted if less else wanted - reached
        digits = 1 if unit else 2
        verdict = "not measured" if np.isnan(reached) else "reached" if short <= 0 else f"missed by {short:.{digits}f}{unit.replace(' %', ' points')}"
        rows.append([name, f"{reached:.{digits}f}{unit}" if not np.isnan(reached) else "–", f"{wanted}{unit}", verdict])
    return ["## Against the aims", "", "Means alone; intervals stand below.", "", *table(["figure", "value", "aim", ""], rows)]


def evaluations(records: list[dict]) -> list[str]:
    """Section on the cost of fewer evaluations, from the records of measure_distilled.py."""
    if not records:
        return []
    far = next(r for r in records if r["evaluations"] == max(v["evaluations"] for v in records))
    percent = lambda r: [f"{100 * r[k]:.0f} %" for k in ("place", "time", "actors")]
    names = {"before": "not distilled", "after": "distilled"}
    rows = [[str(r["evaluations"]), names[r["model"]], *([f"{r['picture_error']:.3f}", f"{r['sound_error']:.3f}"] if r is not far else ["–", "–"]),
             *percent(r)] for r in records]
    return [f"## Fewer evaluations ({far['shots']} held-out shots, from the same noise, without guidance)", "",
            *table(["evaluations", "transformer", f"distance of the picture's latents from {far['evaluations']} evaluations", "of the sound's", "place", "time",
                    "actors"], rows),
            "Distances are root mean square errors of normalised latents. By `tools/train/run.py measure-distilled`, in Python; "
            "everything above is the engine's output.", ""]


def compose(results: dict, about: dict, judge_figures: dict, motion_figures: dict, distilled: list[dict]) -> str:
    """The text of the report. results: {part: {case: record}}; distilled: the records of measure_distilled.py, if any."""
    of = {part: json.loads(json.dumps(list(records.values()))) for part, records in results.items()}  # as if read from a file: keys become text
    lines = [f"# What {about['name']}'s films show", "",
             f"Films of `fabula render`, {about['steps']} evaluations a shot, by `tools/train/run.py evaluate`. In brackets the 95 % interval and the number "
             "of samples (shots, lines or pairs; an interval of shares counts films). Nothing here was judged by the model that made it.", ""]
    if "shots" in of:
        lines += aims(of)
    for part, write in (("shots", shots), ("prompts", prompts), ("agreement", agreement)):
        lines += write(of[part]) if part in of else []
    lines += evaluations(distilled)
    percent = lambda figures, keys: " / ".join(f"{100 * figures[k]:.1f} %" for k in keys)
    lines += ["## The judges, on held-out pictures of the renderer", ""]
    lines += [f"- recogniser, single frames, {name} (place / time / weather / all actors / all props / mood of one alone): "
              f"{percent(figures, ('place', 'time', 'weather', 'actors', 'props', 'mood'))}" for name, figures in judge_figures.items()]
    lines += [f"- reader of motion, pictures made worse (action / of an actor alone / direction / mark): "
              f"{percent(motion_figures, ('action', 'lone action', 'direction', 'mark'))}",
              f"- chance: place {100 / len(WORLD['places']):.0f} %, time {100 / len(WORLD['times']):.0f} %, lone actor {100 / len(WORLD['actors']):.0f} %, "
              f"mood {100 / len(MOODS):.0f} %, "
              f"lone action {100 / (len(motion.ACTIONS) - len(motion.PAIRS)):.0f} %, direction 50 %, all of {len(PROPS)} props: those of the control"]
    return "\n".join(lines) + "\n"
