"""Random shots of the storybook world for the judges, with their rendered pictures and sound (docs/BUNDLE.md).

Seeds start at SEEDS, which no training stage reaches.
"""
import numpy as np

from storybook import facts, mixing, stage
from world import editions

WORLD = editions.world()
CACHE = editions.ROOT / ".cache/train"
WIDTH, HEIGHT = WORLD["canvas"]
FPS, FRAMES = WORLD["fps"], WORLD["shot_frames"][0]
SHOT_MS = int(1000 * FRAMES / FPS + 0.5)
SECONDS = FRAMES / FPS
ids = lambda kind: [e["id"] for e in WORLD[kind]]
PLACES, ACTORS, ACTIONS, PROPS, MOODS, WEATHERS = (ids(k) for k in ("places", "actors", "actions", "props", "moods", "weathers"))
TIMES, POSITIONS, FACINGS = WORLD["times"], WORLD["positions"], WORLD["facings"]
WEATHERS_OF = {p["id"]: p["weathers"] for p in WORLD["places"]}
SEEDS = 2 ** 31  # the judges' seeds start here; no training stage reaches them
PAIRS = {"talks": "stands", "chases": "runs"}  # what the partner does


def choose(rng, items):
    """A random item of a list."""
    return items[int(rng.integers(len(items)))]


def random_plan(rng: np.random.Generator) -> dict:
    """A plan of one shot with every attribute drawn uniformly; six of ten shots have one actor."""
    count, place = (1 if rng.random() < 0.6 else 2), choose(rng, PLACES)
    actors = [ACTORS[i] for i in rng.permutation(len(ACTORS))[:count]]
    alone = [a for a in ACTIONS if a not in PAIRS]
    if count == 1:
        positions, facings, whats = ["center" if rng.random() < 0.5 else choose(rng, POSITIONS)], [choose(rng, FACINGS)], [choose(rng, alone)]
    else:
        positions, whats = [POSITIONS[i] for i in rng.permutation(3)[:2]], [choose(rng, ACTIONS), choose(rng, alone)]
        towards = ["right" if POSITIONS.index(p) < POSITIONS.index(q) else "left" for p, q in (positions, positions[::-1])]
        facings = [choose(rng, FACINGS), choose(rng, FACINGS)] if rng.random() < 0.3 else towards
        if whats[0] in PAIRS:
            whats[1], facings = PAIRS[whats[0]], ["right", "right"] if whats[0] == "chases" else facings
    order, spots = rng.permutation(len(PROPS)), rng.permutation(POSITIONS)
    props = [{"id": PROPS[i], "position": p} for i, p in zip(order, spots[:int(rng.choice([0, 1, 2], p=(0.35, 0.4, 0.25)))])]
    dialogue = [{"speaker": actors[0], "text": "", "start_ms": 250, "end_ms": 250 + int(rng.integers(600, 2900)),
                 "mode": "on_screen"}] if rng.random() < 0.4 else []
    shot = {"id": "s010", "place": place, "start_ms": 0, "duration_ms": SHOT_MS,
            "cast": [{"id": a, "position": p, "facing": f, "mood": choose(rng, MOODS)} for a, p, f in zip(actors, positions, facings)], "props": props,
            "action_beats": [{"at_ms": 0, "who": a, "what": w} for a, w in zip(actors, whats)],
            "camera": {"size": choose(rng, WORLD["camera_sizes"]), "move": choose(rng, WORLD["camera_moves"])}, "dialogue": dialogue,
            "ambience": next(p["ambience"] for p in WORLD["places"] if p["id"] == place)}
    return {"characters": [{"id": a, "voice": {"voice_id": choose(rng, WORLD["voices"])["id"]}} for a in actors],
            "places": [{"id": place, "description": "", "time_of_day": choose(rng, TIMES), "weather": choose(rng, WEATHERS_OF[place])}], "shots": [shot],
            "sound": {"music": "none"}}


def render_frames(plan: dict, index: int, seed: int, frame_indices=None) -> tuple[np.ndarray, np.ndarray, dict]:
    """(frames uint8 [n, H, W, 3], masks uint8 [n, H, W], truth) of a shot. Mask values: 0 backdrop, i + 1 entity i of the truth (the cast, then the props)."""
    staged = facts.staged(plan, index)
    spoken = any(line["text"] for line in staged["shots"][0]["dialogue"])
    return stage.render_shot(staged, 0, seed, mixing.phones_of(staged, 0) if spoken else None, frame_indices)


def render_sound(plan: dict, index: int, seed: int) -> np.ndarray:
    """Samples float32 of a shot at 16 kHz."""
    return mixing.render_sound(facts.staged(plan, index), 0, seed)


def place_of(plan: dict, shot: dict) -> dict:
    """The plan's entry of a shot's place, with the world's id: forest_2 is the forest at another time."""
    entry = next(p for p in plan["places"] if p["id"] == shot["place"])
    return {**entry, "id": entry["id"] if entry["id"] in PLACES else entry["id"].rsplit("_", 1)[0], "weather": entry.get("weather") or WEATHERS[0]}
