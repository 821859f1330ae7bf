"""assets/world/world.json and its editions: which part of the world is rendered, trained on and exported.

The file lists the whole world. Its `editions` name, list by list, what a smaller model knows. `world` returns an edition in the layout of a bundle's
world.json (docs/BUNDLE.md). The environment variable FABULA_WORLD selects it: `storybook` (default) is the trained one, `full` the whole list, and `nano` the
world of assets/models/nano, kept for that bundle's prompts, plans and goldens; its pictures and sounds can no longer be rendered.

    python tools/train/run.py editions check            the nano edition equals its bundle's world.json; the hold-outs follow their rule
    python tools/train/run.py editions print storybook
"""

import argparse
import functools
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PATH = ROOT / "assets/world/world.json"
EDITION = os.environ.get("FABULA_WORLD", "storybook")
# Fields of an entry in a bundle's world.json; the others are for the renderer.
FIELDS = {"actors": ("id", "name", "glyph", "look", "words"), "places": ("id", "description", "words", "ambience"), "actions": ("id", "words", "sounds"),
          "voices": ("id", "flite", "tempo", "pitch", "description"), "props": ("id", "name", "look", "words")}
WORDS = {"weathers": "weather_words", "moods": "mood_words"}  # plain lists whose words a bundle stores with each entry
HELD_OUT_OF = 5  # one pair in five


@functools.cache
def whole():
    """The parsed file."""
    return json.loads(PATH.read_text())


@functools.cache
def world(edition=EDITION):
    """An edition as a bundle's world.json holds it; `full` also has the renderer's fields and lists."""
    everything = whole()
    if edition == "full":
        return {k: v for k, v in everything.items() if k != "editions"}
    if edition not in everything["editions"]:
        sys.exit(f"FABULA_WORLD={edition}: world.json has the editions full, {', '.join(everything['editions'])}")
    part = everything["editions"][edition]
    result = {k: everything[k] for k in ("version", "canvas", "fps", "shot_frames", "max_shots")}
    for name, wanted in part.items():
        if name in FIELDS:
            entries = {e["id"]: e for e in everything[name]}
            result[name] = [{k: entries[i][k] for k in FIELDS[name]} for i in wanted]
        elif name in WORDS:
            result[name] = [{"id": i, "words": everything[WORDS[name]][i]} for i in wanted]
        else:
            result[name] = wanted
    if "weathers" in part:
        for place in result["places"]:
            possible = next(e["weathers"] for e in everything["places"] if e["id"] == place["id"])
            place["weathers"] = [w for w in part["weathers"] if w in possible]
    result["phones"] = everything["phones"]
    return result


def held_out_pairs(everything):
    """{kind: {id: [ids]}} by the rule of world.json's `holdouts`: entry i of one list and entry j of the other are held out if (i + 2 j) mod 5 is the kind's
    remainder. `stands` and `natural` never are: everything else builds on them."""
    ids = {name: [e["id"] for e in everything[name]] for name in ("actors", "actions", "places", "props", "tints")}
    pairs = {}
    for remainder, (first, second, never) in enumerate((("actors", "actions", "stands"), ("actors", "places", None), ("props", "tints", "natural"))):
        pairs[f"{first}_{second}"] = {a: [b for j, b in enumerate(ids[second]) if b != never and (i + 2 * j) % HELD_OUT_OF == remainder]
                                      for i, a in enumerate(ids[first])}
    return pairs


@functools.cache
def is_held_out(kind, first, second):
    """Whether a pair never occurs in training, e.g. ("actors_actions", "fox", "bounces")."""
    return second in whole()["holdouts"]["pairs"][kind][first]


def text(data):
    """JSON text with one entry per line, as world.json is written."""
    lines = []
    for key, value in data.items():
        deep = isinstance(value, list) and value and isinstance(value[0], dict)
        if deep:
            body = "[\n" + ",\n".join("    " + json.dumps(v, ensure_ascii=False) for v in value) + "\n  ]"
        elif isinstance(value, dict):
            body = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ") if key not in ("holdouts", "editions") else format_nested(value)
        else:
            body = json.dumps(value, ensure_ascii=False)
        lines.append(f"  {json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def format_nested(value, depth=1):
    """An object with one line per field, down to lists and plain values."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    pad = "  " * (depth + 1)
    return "{\n" + ",\n".join(f"{pad}{json.dumps(k)}: {format_nested(v, depth + 1)}" for k, v in value.items()) + "\n" + "  " * depth + "}"


def check():
    """Asserts that the nano edition equals its bundle's world.json and that the hold-outs follow their rule."""
    shipped = json.loads((ROOT / "assets/models/nano/world.json").read_text())
    assert world("nano") == shipped, "the nano edition is not the shipped bundle's world"
    everything = whole()
    assert everything["holdouts"]["pairs"] == held_out_pairs(everything), "the hold-outs are not those of the rule"
    for kind, pairs in everything["holdouts"]["pairs"].items():
        first, second = kind.split("_")
        share = sum(map(len, pairs.values())) / (len(everything[first]) * (len(everything[second]) - (second != "places")))
        print(f"{kind}: {sum(map(len, pairs.values()))} pairs held out, {100 * share:.1f} %")
        assert 0.19 < share < 0.21
    print(", ".join(f"{len(v)} {k}" for k, v in everything.items() if isinstance(v, list) and k not in ("canvas", "shot_frames", "phones")))


def main():
    """`run.py editions`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="compare the nano edition with its bundle, and the hold-outs with their rule")
    commands.add_parser("print", help="print an edition as a bundle's world.json").add_argument("edition")
    arguments = parser.parse_args()
    if arguments.command == "check":
        check()
    else:
        print(text(world(arguments.edition)), end="")
