"""Converts a shot of a model's plan to the full world's fields: what the plan states per shot (mood, props, weather) becomes facts of a film of that shot
alone.
"""

from storybook import tracks

STATES = {"balloon": "floats"}  # a prop's state in a shot; default: the first of its states


def staged(plan, index):
    """The full world's plan of one shot, for `stage.render_shot(staged, 0, seed, phones)` and `mixing.render_sound(staged, 0, seed)`.

    plan: as in docs/BUNDLE.md, with the storybook edition's fields. The shot keeps its times on the film's clock."""
    shot = plan["shots"][index]
    entry = next(p for p in plan["places"] if p["id"] == shot["place"])
    place = entry["id"] if entry["id"] in tracks.PLACES else entry["id"].rsplit("_", 1)[0]  # forest_2 is the forest at another time
    facts = [{"entity": m["id"], "attribute": "mood", "value": m.get("mood", "calm")} for m in shot["cast"]]
    props = []
    for prop in shot.get("props", []):
        kind = tracks.sprites.PROPS[prop["id"]]
        props.append({"id": prop["id"], "description": kind["look"], "states": kind["states"]})
        known = {"place": place, "position": prop["position"], "state": STATES.get(prop["id"], kind["states"][0]), "tint": "natural"}
        facts += [{"entity": prop["id"], "attribute": a, "value": v} for a, v in known.items()]
    return {**plan, "places": [{**entry, "id": place, "weather": entry.get("weather") or "clear"}], "props": props, "world": facts,
            "shots": [{**shot, "place": place}]}
