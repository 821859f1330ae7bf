"""Random shots for the stages that need pictures before they need words: plans of one shot in the layout of docs/BUNDLE.md."""

import editions
from training import WORLD


def choose(rng, items):
    return items[int(rng.integers(len(items)))]


def random_shot(rng):
    """(plan with one shot, index 0, phones or None), every attribute drawn uniformly; one actor in two thirds of the shots."""
    if editions.EDITION == "full":
        from storybook import mixing, stories
        plan = stories.sample_film(rng, shots=1)
        return plan, 0, mixing.phones_of(plan, 0)
    count = 1 if rng.random() < 0.67 else 2
    actors = [WORLD["actors"][i] for i in rng.permutation(len(WORLD["actors"]))[:count]]
    positions = [WORLD["positions"][i] for i in rng.permutation(3)[:count]]
    if count == 1 and rng.random() < 0.5:
        positions = ["center"]
    place = choose(rng, WORLD["places"])
    cast = [{"id": a["id"], "position": p, "facing": choose(rng, WORLD["facings"])} for a, p in zip(actors, positions)]
    beats = [{"at_ms": 0, "who": a["id"], "what": choose(rng, WORLD["actions"])["id"]} for a in actors]
    lines = []
    if rng.random() < 0.4:
        end = 250 + int(rng.integers(500, 1480))
        lines = [{"speaker": actors[0]["id"], "text": "", "start_ms": 250, "end_ms": end, "mode": "on_screen"}]
    shot = {"id": "s010", "place": place["id"], "start_ms": 0, "duration_ms": 1833, "cast": cast, "action_beats": beats,
            "camera": {"size": choose(rng, WORLD["camera_sizes"]), "move": choose(rng, WORLD["camera_moves"])},
            "dialogue": lines, "ambience": place["ambience"]}
    plan = {"characters": [{"id": a["id"]} for a in actors],
            "places": [{"id": place["id"], "description": place["description"], "time_of_day": choose(rng, WORLD["times"])}], "shots": [shot]}
    return plan, 0, None
