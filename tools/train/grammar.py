"""Stories of the world: their meaning, the plan that follows from it, and prompts that say it.

`sample_plan` draws a meaning (`Story`), words it (`grammar_prompts.py`) and lets `oracle` write the plan. The oracle is deterministic:
whatever a prompt leaves out is filled by the fixed rules below, so that a reader, and the planner, can know it.

Rules. No actor, or an unknown one: the fox. No place, or an unknown one: the forest (a later event: where the film is already; an unknown place: the forest). No time: day.
No action, or an unknown one: stands. One actor stands in the centre and faces right; two stand left and right, facing each other, or both to the
right when both walk, run or fly. One event makes three shots, two make two each, more make one each; a line is spoken in its event's second shot.
Voices go by the actor's place in world.json: even slt, odd rms; `he` means rms, `she` slt; a voice asked for comes first.
"""

import dataclasses

import editions
import speech
from training import WORLD

ACTORS = {a["id"]: a for a in WORLD["actors"]}
PLACES = {p["id"]: p for p in WORLD["places"]}
VOICES = {v["id"]: v for v in WORLD["voices"]}
LINE_BYTES, SPAN_BYTES, MAX_UNSUPPORTED, MAX_SHOTS = 28, 40, 6, WORLD["max_shots"]
TREATMENT_BYTES = 240
MOVING = {"walks", "runs", "flies"}
ON_PLACE = {"forest": "in the forest", "beach": "on the beach", "desert": "in the desert", "snow": "in the snow", "city": "in the city", "moon": "on the moon"}


@dataclasses.dataclass
class Event:
    """What happens at once: one or two actors with their actions, where, when, and a line or none."""
    actors: list  # ids
    actions: list  # ids, one an actor
    place: str
    time: str
    speaker: str | None = None  # id
    line: list = dataclasses.field(default_factory=list)  # pieces of the line, each a legal span of the prompt
    positions: list | None = None  # as asked for
    facings: list | None = None


@dataclasses.dataclass
class Story:
    """The meaning of a prompt."""
    events: list
    voices: dict = dataclasses.field(default_factory=dict)  # actor -> voice, where asked for or heard from he / she
    shots: int | None = None  # as asked for
    size: str | None = None
    move: str | None = None
    unsupported: list = dataclasses.field(default_factory=list)  # spans of the prompt


def shot_count(story):
    """Shots of each event."""
    events = story.events
    base = {1: 3, 2: 2}.get(len(events), 1)
    counts = [base] * len(events)
    if story.shots:
        each, rest = divmod(max(story.shots, len(events)), len(events))
        counts = [each + (i < rest) for i in range(len(events))]
    counts = [max(n, len(e.line)) for n, e in zip(counts, events)]
    while sum(counts) > MAX_SHOTS:  # long lines give way last
        spare = [i for i in range(len(counts)) if counts[i] > max(1, len(events[i].line))]
        if not spare:
            break
        counts[max(spare, key=lambda i: counts[i])] -= 1
    return counts


def default_voice(actor):
    return "slt" if list(ACTORS).index(actor) % 2 == 0 else "rms"


def staging(event):
    """(positions, facings) of the event's actors."""
    if len(event.actors) == 1:
        return event.positions or ["center"], event.facings or ["right"]
    positions = event.positions or ["left", "right"]
    together = event.actions[0] == event.actions[1] and event.actions[0] in MOVING
    facings = ["right", "right"] if together else ["right" if p == "left" else "left" for p in positions]
    return positions, event.facings or facings


def treatment(story):
    """The story in canonical words, one sentence an event."""
    sentences, place = [], None
    for event in story.events:
        if len(event.actors) == 1:
            text = f"The {event.actors[0]} {event.actions[0]}"
        elif event.actions[0] == event.actions[1]:
            text = f"The {event.actors[0]} {event.actions[0]} with the {event.actors[1]}"
        else:
            text = f"The {event.actors[0]} {event.actions[0]}, the {event.actors[1]} {event.actions[1]}"
        if event.place != place:
            text += f" {ON_PLACE[event.place]} by {event.time}"
            place = event.place
        if event.line:
            text += f". The {event.speaker} speaks" if len(event.actors) > 1 else " and speaks"
        sentences.append(text + ".")
    while len(" ".join(sentences)) > TREATMENT_BYTES:
        sentences.pop()
    return " ".join(sentences)


def title(story):
    first = story.events[0]
    return f"{ACTORS[first.actors[0]]['name']} {ON_PLACE[first.place].title().replace('The', 'the').replace('In ', 'in ').replace('On ', 'on ')}"


def oracle(story):
    """The plan of a story (docs/BUNDLE.md). Events that do not fit into `max_shots` are left out."""
    actors = list(dict.fromkeys(a for e in story.events for a in e.actors))
    voices = {a: story.voices.get(a, default_voice(a)) for a in actors}
    times = {}
    for event in story.events:
        times.setdefault(event.place, event.time)
    shots = []
    for event, count in zip(story.events, shot_count(story)):
        positions, facings = staging(event)
        first = 1 if count > len(event.line) else 0
        for i in range(count):
            alone = count == 1
            size = story.size or ("medium" if (len(shots) if alone else i) % 2 else "wide")
            shots.append({"place": event.place,
                          "cast": [{"id": a, "position": p, "facing": f} for a, p, f in zip(event.actors, positions, facings)],
                          "action_beats": [{"at_ms": 0, "who": a, "what": w} for a, w in zip(event.actors, event.actions)],
                          "camera": {"size": size, "move": story.move or "static"},
                          "line": (event.speaker, event.line[i - first]) if 0 <= i - first < len(event.line) else None,
                          "ambience": "crickets" if (event.place, times[event.place]) == ("forest", "night") else PLACES[event.place]["ambience"]})
    shots = shots[:MAX_SHOTS]
    if not story.move and len(shots) > 1:
        shots[-1]["camera"]["move"] = "push_in"
    return {"version": "fabula.plan/1", "treatment": treatment(story), "title": title(story), "aspect": "16:9", "fps": 24,
            "total_ms": shot_start(len(shots)), "language": "en",
            "characters": [{"id": a, "name": ACTORS[a]["name"], "look": ACTORS[a]["look"], "voice": {"voice_id": voices[a]}} for a in actors],
            "places": [{"id": p, "description": PLACES[p]["description"], "time_of_day": t} for p, t in times.items()],
            "shots": [timed(shot, i, voices) for i, shot in enumerate(shots)],
            "sound": {"music": "none"}, "unsupported": story.unsupported[:MAX_UNSUPPORTED]}


def shot_start(index):
    """Milliseconds before shot `index`; with the number of shots, the film's length."""
    return int(1000 * WORLD["shot_frames"][0] * index / WORLD["fps"] + 0.5)


def timed(shot, index, voices):
    """A shot with its id and times, keys in the plan's order."""
    start = shot_start(index)
    duration = shot_start(index + 1) - start
    dialogue = []
    if shot["line"]:
        speaker, text = shot["line"]
        begin, end = speech.line_span(text, VOICES[voices[speaker]], start, duration)
        dialogue = [{"speaker": speaker, "text": text, "start_ms": begin, "end_ms": end, "mode": "on_screen"}]
    return {"id": f"s{10 * (index + 1):03}", "place": shot["place"], "start_ms": start, "duration_ms": duration, "cast": shot["cast"],
            "action_beats": shot["action_beats"], "camera": shot["camera"], "dialogue": dialogue, "ambience": shot["ambience"]}


def sample_plan(rng):
    """(prompt, plan) from a numpy Generator."""
    if editions.EDITION == "full":
        from storybook import stories
        return stories.sample_plan(rng)
    import grammar_prompts
    prompt, story = grammar_prompts.sample(rng)
    return prompt, oracle(story)
