"""A shot of a shipped model's plan as the renderer wants it: what the plan says of each shot (mood, props, weather) becomes facts that hold in a film of that
shot alone."""

from storybook import tracks

STATES = {"balloon": "floats"}  # what a prop does in a shot; else the first of its states


def staged(plan, index):
    """The full world's plan of one shot, for `stage.render_shot(staged, 0, seed, phones)` and `mixing.render_sound(staged, 0, seed)`.

    plan: the JSON of docs/BUNDLE.md, in the storybook edition's fields. The shot's clock stays that of the film."""
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
