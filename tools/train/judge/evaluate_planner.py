"""Do plans contain what their prompts ask for? Writes PLANNER.md into the bundle, from prompts written by hand.

    python tools/train/run.py evaluate-planner BUNDLE --fabula build/cpu-release/bin/fabula [--variant "name=flags of fabula plan"]… [--decoding 8]

assets/prompts/prompts.json holds one prompt per line with the events that a viewer must find, in order and in the ids of assets/world/world.json, and the
spans that must be listed as unsupported; second_prompts.json (--prompts) holds lines, counts, refusals and denials. Each variant is a column; the default is
the shipped planner alone. --decoding N adds decoding speed (bench_planner.py).
"""
import argparse
import json
import pathlib
import re
import shlex
import subprocess
import unicodedata
from typing import NamedTuple

from judge import bench_planner
from judge.bench_planner import PROMPTS
from judge.intervals import wilson

STOP_WORDS = set("a an the of in on at to and or is are it its with by for from past".split())
TIMEOUT_S = 300  # of one `fabula plan`


def words(text: str) -> list[str]:
    """Words for comparing texts: letters and digits, lower case."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", text).lower().replace("’", "'"))


def interval(right: int, n: int) -> str:
    """`right` of n in per cent with Wilson's 95 % interval, and the counts; – if n is 0."""
    if n == 0:
        return "–"
    low, high = wilson(right / n, n)
    return f"{100 * right / n:.0f} % ({100 * low:.0f}–{100 * high:.0f}), {right} of {n}"


class Plan(NamedTuple):
    """A run of `fabula plan`: exit code, plan, findings of `--check`, standard error."""
    code: int
    film: dict | None
    findings: list[dict]
    said: str  # standard error


def run_plan(fabula: pathlib.Path, bundle: pathlib.Path, case: dict, flags: list[str]) -> Plan:
    """`fabula plan` of a prompt, and the findings of `fabula plan --check`."""
    given, stdin = ("-", case["prompt"]) if "prompt" in case else (str(PROMPTS.parent / case["fountain"]), "")
    common = ["--model", str(bundle)]
    made = subprocess.run([fabula, "plan", given, *common, *flags], input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S)
    if made.returncode:
        return Plan(made.returncode, None, [], made.stderr)
    checked = subprocess.run([fabula, "plan", "--check", "-", "--json", *common], input=made.stdout, capture_output=True, text=True, timeout=TIMEOUT_S)
    return Plan(0, json.loads(made.stdout), json.loads(checked.stdout)["findings"], made.stderr)


def line_shots(film: dict, line: str, actor: str | None) -> list[int]:
    """The shots in which a line starts. A long line is spread over several shots and may be followed by others there."""
    wanted, found = " ".join(words(line)), []
    for first in range(len(film["shots"])):
        spoken = [[w for said in s["dialogue"] if actor in (None, said["speaker"]) for w in words(said["text"])] for s in film["shots"][first:]]
        if spoken[0] and f" {wanted} " in f" {' '.join(sum(spoken, []))} " and f" {wanted} " not in f" {' '.join(sum(spoken[1:], []))} ":
            found.append(first)
    return found


def said_words(film: dict, event: dict) -> int:
    """Number of the line's words that its speaker says anywhere."""
    left, said = [w for s in film["shots"] for line in s["dialogue"] if event.get("actor") in (None, line["speaker"]) for w in words(line["text"])], 0
    for word in words(event["line"]):
        if word in left:
            left.remove(word)
            said += 1
    return said


def event_shots(film: dict, event: dict) -> list[int]:
    """The shots that contain all of an event: place, time, actor, action, line."""
    times = {p["id"]: p["time_of_day"] for p in film["places"]}
    shots = range(len(film["shots"])) if "line" not in event else line_shots(film, event["line"], event.get("actor"))
    found = []
    for i in shots:
        s, actor = film["shots"][i], event.get("actor")
        place = "place" not in event or event["place"] == re.sub(r"_?\d+$|_(day|night)$", "", s["place"]) or event["place"] == s["place"]
        time = "time" not in event or event["time"] == times.get(s["place"])
        seen = actor is None or any(m["id"] == actor for m in s["cast"])
        done = "action" not in event or any(b["what"] == event["action"] and actor in (None, b["who"]) for b in s["action_beats"])
        if place and time and seen and done:
            found.append(i)
    return found


def in_order(found: list[list[int]]) -> int:
    """The length of the longest chain of events in film order: each in the shot of its predecessor or a later one."""
    best = {-1: 0}  # last shot used -> events
    for shots in found:
        for shot in sorted(shots, reverse=True):
            best[shot] = max(best.get(shot, 0), 1 + max(n for last, n in best.items() if last <= shot))
    return max(best.values())


def is_named(span: str, named: list[str]) -> bool:
    """Whether `named` contains at least half of a span's words."""
    wanted = [w for w in words(span) if w not in STOP_WORDS]
    said = {w for text in named for w in words(text)}
    return 2 * sum(w in said for w in wanted) >= len(wanted) if wanted else False


def is_asked(span: str, wanted: list[str]) -> bool:
    """Whether a named span shares a word with a span that should be named."""
    should = {w for text in wanted for w in words(text)} - STOP_WORDS
    return any(w in should for w in words(span))


def score(cases: list[dict], plans: list[Plan]) -> tuple[dict, dict]:
    """(rows of the table: {row: (right, total)}, {prompt id: the result in words})."""
    counts = {}

    def count(row: str, right: int, n: int) -> None:
        a, b = counts.get(row, (0, 0))
        counts[row] = (a + right, b + n)

    details = {}
    for case, plan in zip(cases, plans):
        if case.get("refused"):
            count("prompts refused that must be", plan.code != 0, 1)
            details[case["id"]] = f"refused ({plan.code})" if plan.code else "a plan"
            continue
        count("prompts with a plan", plan.film is not None, 1)
        errors = [f for f in plan.findings if f["severity"] == "error"]
        film = plan.film or {"shots": [], "places": [], "unsupported": []}
        if plan.film:
            count("plans without an error", not errors, 1)
            count("plans without a warning", not any(f["severity"] == "warning" for f in plan.findings), 1)
        found = [event_shots(film, e) if film["shots"] else [] for e in case["events"]]
        for event, shots in zip(case["events"], found):
            count("events found", bool(shots), 1)
            count(f"… {'lines, whole' if 'line' in event else 'actions' if 'action' in event else 'who is where'}", bool(shots), 1)
            if "line" in event:
                count("… words of the lines, by their speaker", said_words(film, event), len(words(event["line"])))
            if film["shots"]:
                for part in ("place", "time", "actor", "action"):
                    if part in event:
                        count(f"… their {part} in some shot", bool(event_shots(film, {part: event[part]})), 1)
        if found:
            ordered = in_order(found)
            count("events found in their order", ordered, len(found))
            count("prompts with all of it in order", ordered == len(found), 1)
        wanted, named = case["unsupported"], film["unsupported"]
        for span in wanted:
            count("spans named that should be", is_named(span, named), 1)
        for span in named:
            count("named spans that should be", is_asked(span, wanted), 1)
        what = f"{sum(map(bool, found))}/{len(found)} events, {in_order(found)} in order; " if found else ""
        details[case["id"]] = what + (f"refused ({plan.code})" if plan.film is None else f"{len(film['shots'])} shots"
                                      + (f", {len(errors)} errors: {errors[0]['rule']}" if errors else "")
                                      + (f"; named: {', '.join(named)}" if named else ""))
    return counts, details


ROWS = ("prompts with a plan", "prompts refused that must be", "plans without an error", "plans without a warning", "events found", "… who is where",
        "… actions", "… lines, whole", "… words of the lines, by their speaker",
        "… their place in some shot", "… their time in some shot", "… their actor in some shot", "… their action in some shot", "events found in their order",
        "prompts with all of it in order", "spans named that should be", "named spans that should be")


def cell(text: str) -> str:
    """Text escaped for a Markdown table."""
    return "".join(c if c.isprintable() else " " for c in text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").strip()


def shortened(text: str, most: int = 90) -> str:
    """Text cut to `most` characters."""
    return text if len(text) <= most else text[:most - 1] + "…"


def report(cases: list[dict], results: dict[str, tuple[dict, dict]], decoding: str, command: str) -> str:
    """PLANNER.md."""
    names = list(results)
    events = sum(len(case["events"]) for case in cases if not case.get("refused"))
    head = f"| | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}"
    lines = ["# What the plans have", "",
             f"{len(cases)} prompts that people wrote by hand, outside the grammar that the planner was trained on (`assets/prompts`): short, long, misspelt, "
             f"poetic, screenplays, wishes that this world cannot film, hostile, contradictory. {events} events must be found "
             "(a place, a time, an actor, an action or a line, all of an event in one shot), each span of a wish that cannot be filmed must be named. "
             "In brackets Wilson's 95 % interval. Reported as found.", "", head]
    for row in ROWS:
        if any(row in counts for counts, _ in results.values()):
            lines.append(f"| {row} | " + " | ".join(interval(*counts.get(row, (0, 0))) for counts, _ in results.values()) + " |")
    lines += ["", "An event is *found* where one shot has all that is asked; *in their order* counts the longest chain through the film. "
              "*Named* is what stands under `unsupported`.", ""]
    lines += [decoding] if decoding else []
    lines += ["## Prompt by prompt", "", f"| prompt | text | {' | '.join(names)} |\n|{'---|' * (len(names) + 2)}"]
    for case in cases:
        text = case["prompt"] if "prompt" in case else "`" + case["fountain"] + "`"
        lines.append(f"| {case['id']} | {cell(shortened(text))} | " + " | ".join(cell(shortened(details[case["id"]], 200)) for _, details in results.values())
                     + " |")
    lines += ["", f"Made by `{command}`."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """`run.py evaluate-planner`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--fabula", type=pathlib.Path, required=True, help="the engine's executable")
    parser.add_argument("--prompts", type=pathlib.Path, default=PROMPTS, help="the cases (default: assets/prompts/prompts.json)")
    parser.add_argument("--variant", action="append", default=[], metavar="NAME=FLAGS", help="a column: flags of `fabula plan`, such as \"rules=--oracle\"")
    parser.add_argument("--decoding", type=int, default=0, metavar="N", help="time decoding on N prompts, against transformers")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plans", type=pathlib.Path, help="folder to keep the plans in")
    parser.add_argument("--out", type=pathlib.Path, help="default: BUNDLE/PLANNER.md")
    options = parser.parse_args()
    cases = json.loads(options.prompts.read_text())
    variants = dict(v.split("=", 1) if "=" in v else (v, v) for v in options.variant) or {"shipped planner": ""}
    common, results = ["--threads", str(options.threads), "--precision", "fp32"], {}
    for name, flags in variants.items():
        plans = [run_plan(options.fabula, options.bundle, case, common + shlex.split(flags)) for case in cases]
        results[name] = score(cases, plans)
        if options.plans:
            folder = options.plans / re.sub(r"\W+", "_", name)
            folder.mkdir(parents=True, exist_ok=True)
            for case, plan in zip(cases, plans):
                (folder / f"{case['id']}.json").write_text(json.dumps(plan.film, indent=1, ensure_ascii=False) if plan.film else plan.said)
    decoding = ""
    if options.decoding:
        texts = [c["prompt"] for c in cases if c["id"].startswith(("plain", "short", "long"))]
        decoding = bench_planner.table(options.fabula, options.bundle, texts[:options.decoding], options.threads)
    extra = "".join(f' --variant "{v}"' for v in options.variant)
    extra += f" --decoding {options.decoding}" if options.decoding else ""
    extra += f" --threads {options.threads}" if options.threads != 2 else ""
    text = report(cases, results, decoding, f"tools/train/run.py evaluate-planner BUNDLE --fabula build/cpu-release/bin/fabula{extra}")
    print(text)
    (options.out or options.bundle / "PLANNER.md").write_text(text)
