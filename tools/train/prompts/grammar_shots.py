"""Films for the stages that learn pictures and sound: shots whose attributes are drawn independently, as plans of docs/BUNDLE.md.

`sample_shots` also words the film plainly, so that the planner can read it.
"""

import re

from prompts import grammar, grammar_prompts
from prompts.common_words import WORDS
from prompts.grammar import ACTORS, LINE_BYTES, MAX_PROPS, MOODS, ON_PLACE, PLACES, PROPS, VOICES, WEATHERS, WORLD
from prompts.grammar_spans import pieces
from world import editions

PAIR, SPOKEN, CALM, TOGETHER = 0.35, 0.6, 0.5, 0.2  # shares of shots with two actors, shots with a line, calm actors, pairs that talk or chase
PHRASES = {"talks": "talks to", "chases": "chases"}
WEATHER = {"clear": ["", "", " in good weather"], "rain": [" in the rain", " while it rains"], "snow": [" in the snowfall", " while it is snowing"]}
SIZE_WORDS = {"wide": "Wide shot", "medium": "Medium shot", "close": "Close-up"}
MOVE_WORDS = {"static": "static camera", "push_in": "the camera pushes in", "pull_out": "the camera pulls out", "pan": "the camera pans",
              "track": "the camera follows"}


def choose(rng, items):
    """A random item."""
    return items[int(rng.integers(len(items)))]


def allowed(kind, first, second, split):
    """Whether a pair may be drawn: in training, held-out pairs may not."""
    return split != "training" or not editions.is_held_out(kind, first, second)


def random_line(rng):
    """One to nine everyday words, at most LINE_BYTES bytes."""
    while True:
        if rng.random() < 0.5:
            text = grammar_prompts.Writer(rng).everyday()
        else:
            text = " ".join(choose(rng, WORDS) for _ in range(int(rng.integers(1, 10))))
        if rng.random() < 0.3:
            text = text[0].upper() + text[1:]
        if rng.random() < 0.25:
            text += choose(rng, "!?")
        if len(text.encode()) <= LINE_BYTES and len(text.split()) <= 9 and pieces(text, LINE_BYTES) == [text]:
            return text


def random_acts(rng, actors, split):
    """(actions, facings or None) of one or two actors. None: they face each other."""
    actions = [[a for a in (e["id"] for e in WORLD["actions"]) if a not in PHRASES and allowed("actors_actions", actor, a, split)] for actor in actors]
    if len(actors) == 2 and rng.random() < TOGETHER:
        together = [e["id"] for e in WORLD["actions"] if e["id"] in PHRASES and allowed("actors_actions", actors[0], e["id"], split)]
        together = [a for a in together if a == "talks" or allowed("actors_actions", actors[1], "runs", split)]
        if together:
            act = choose(rng, together)
            return ([act, "stands"], None) if act == "talks" else ([act, "runs"], ["right", "right"])
    return [choose(rng, a) for a in actions], [choose(rng, WORLD["facings"]) for _ in actors]


def random_plan_shot(rng, place, split):
    """A shot at a place in the form that `grammar.timed` takes."""
    count = 2 if rng.random() < PAIR else 1
    possible = [a for a in ACTORS if allowed("actors_places", a, place, split)]
    actors = [possible[i] for i in rng.permutation(len(possible))[:count]]
    positions = [WORLD["positions"][i] for i in rng.permutation(len(WORLD["positions"]))[:count]]
    actions, facings = random_acts(rng, actors, split)
    if facings is None:  # partners face each other
        order = [WORLD["positions"].index(p) for p in positions]
        facings = ["right", "left"] if order[0] < order[1] else ["left", "right"]
    mood = lambda: {"mood": MOODS[0] if rng.random() < CALM else choose(rng, MOODS[1:])} if MOODS else {}
    shot = {"place": place, "cast": [{"id": a, "position": p, "facing": f, **mood()} for a, p, f in zip(actors, positions, facings)]}
    if PROPS:
        ids = list(PROPS)
        shot["props"] = [{"id": ids[i], "position": choose(rng, WORLD["positions"])} for i in rng.permutation(len(ids))[:int(rng.integers(MAX_PROPS + 1))]]
        if len(shot["props"]) == 2 and shot["props"][0]["position"] == shot["props"][1]["position"]:
            spots = rng.permutation(len(WORLD["positions"]))
            for prop, spot in zip(shot["props"], spots):
                prop["position"] = WORLD["positions"][spot]
    shot["action_beats"] = [{"at_ms": 0, "who": a, "what": w} for a, w in zip(actors, actions)]
    shot["camera"] = {"size": choose(rng, WORLD["camera_sizes"]), "move": choose(rng, WORLD["camera_moves"])}
    shot["line"] = (choose(rng, actors), random_line(rng)) if rng.random() < SPOKEN else None
    return shot


def sample_shots(rng, split="training"):
    """(prompt, plan) of a film of one to four events, each one shot long at its own place. Place, time, weather, actors, moods, props, action, position,
    facing, camera, line and voices are drawn uniformly and independently; ambience follows the rule. split: "training" avoids the pairs that world.json holds
    out, "any" does not."""
    places = [list(PLACES)[i] for i in rng.permutation(len(PLACES))[:int(rng.integers(1, 5))]]
    settings, voices, shots, sentences = {}, {}, [], []
    for place in places:
        settings[place] = (choose(rng, WORLD["times"]), choose(rng, [w for w in PLACES[place].get("weathers", WEATHERS) if w in WEATHERS])
                           if WEATHERS else None)
        shot = random_plan_shot(rng, place, split)
        shot["ambience"] = grammar.ambience(place, *settings[place])
        for member in shot["cast"]:
            voices.setdefault(member["id"], choose(rng, list(VOICES)))
        shots.append(shot)
        sentences.append(write_sentences(rng, shot, *settings[place]))
    story = grammar.Story([event_of(shot, *settings[shot["place"]]) for shot in shots])
    plan = grammar.plan_of(grammar.treatment(story), grammar.title(story), voices, settings, shots, [])
    return " ".join(sentences), plan


def event_of(shot, time, weather):
    """A shot as an event, for the treatment."""
    line = shot["line"]
    return grammar.Event([c["id"] for c in shot["cast"]], [b["what"] for b in shot["action_beats"]], shot["place"], time, line and line[0],
                         [line[1]] if line else [],
                         weather=weather, moods=[c.get("mood") for c in shot["cast"]] if MOODS else None)


def write_sentences(rng, shot, time, weather):
    """A plain sentence or two for a shot."""
    beats = shot["action_beats"]

    def named(member):
        """A member of the cast as a noun phrase, with its mood unless it is calm, and sometimes its position."""
        mood = member.get("mood")
        noun = choose(rng, ACTORS[member["id"]]["words"])
        phrase = with_article((f"{choose(rng, mood_words(mood))} " if mood and mood != MOODS[0] else "") + noun)
        return phrase + (f" on the {member['position']}" if rng.random() < 0.3 else "")

    names = [named(member) for member in shot["cast"]]
    if len(names) == 2 and beats[0]["what"] in PHRASES:
        text = f"{names[0]} {PHRASES[beats[0]['what']]} {names[1]}"
    else:
        text = " and ".join(f"{name} {beat['what']}" for name, beat in zip(names, beats))
    text += f" {ON_PLACE[shot['place']]} {choose(rng, ['by', 'at']) if time != 'day' else 'by'} {time}" + choose(rng, WEATHER.get(weather, [""]))
    props = [with_article(choose(rng, PROPS[p["id"]]["words"])) for p in shot.get("props", [])]
    if props:
        text += choose(rng, [" with ", " next to "]) + " and ".join(props)
    text = text[0].upper() + text[1:] + "."
    if rng.random() < 0.5:
        text = f"{SIZE_WORDS[shot['camera']['size']]}, {MOVE_WORDS[shot['camera']['move']]}: {text}"
    if shot["line"]:
        speaker, line = shot["line"]
        text += choose(rng, [f' The {speaker} says: "{line}"', f' {ACTORS[speaker]["name"]}: "{line}"'])
    return text


def mood_words(mood):
    """Adjectives for a mood that can precede a noun."""
    return [w for m in WORLD["moods"] if m["id"] == mood for w in m["words"] if w != "afraid"]


def with_article(noun):
    """The noun with its article, such as "a fox" or "an owl"."""
    return ("an " if re.match("[aeiou]", noun) else "a ") + noun
