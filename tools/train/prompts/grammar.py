"""Stories of the world: their meaning, the plan that follows from it, and prompts that say it.

`grammar_prompts.sample_plan` draws a meaning (`Story`), words it and lets `oracle` write the plan. The oracle is deterministic: whatever a prompt leaves out is
filled by the fixed rules below, so that a reader, and the planner, can know it.

Rules. No actor, or an unknown one: the fox. No place, or an unknown one: the forest (a later event: where the film is already; an unknown place: the forest).
No time: day. No action, or an unknown one: stands. One actor stands in the centre and faces right; two stand left and right, facing each other, or both to the
right when both walk, run or fly, or one chases the other. One event makes three shots, two make two each, more make one each; a line is spoken in its event's
second shot. Who talks to somebody `talks`, the other stands; who is chased runs; with nobody else, `talks` is stands and `chases` runs. A line that follows
another one is an event of its own in which its speaker stands alone.
Voices go by the actor's place in world.json: even slt, odd rms; `he` means rms, `she` slt; a voice asked for comes first.
No weather: the world's first (clear); one that was said holds on, where the place can have it. No mood: the first (calm); one that was said is the actor's
until another is. Props hold on for later events at the same place, two at most. The first stands right of an actor who is in the centre or on the left, else
left, and the second on the other side; beside two actors, the first stands in the centre and the second on the left.
Shots of an event are wide, medium and close in turn, the single shots of events likewise.
"""

import dataclasses

from world import editions, speech

WORLD = editions.world()

ACTORS = {a["id"]: a for a in WORLD["actors"]}
PLACES = {p["id"]: p for p in WORLD["places"]}
VOICES = {v["id"]: v for v in WORLD["voices"]}
PROPS = {p["id"]: p for p in WORLD.get("props", []) if "words" in p}
# Lists of ids, the default first; empty where the world has none.
WEATHERS, MOODS = ([e["id"] for e in WORLD.get(name, []) if isinstance(e, dict)] for name in ("weathers", "moods"))
SIZES = [s for s in ("wide", "medium", "close") if s in WORLD["camera_sizes"]]  # of the shots of an event, in turn
LINE_BYTES, SPAN_BYTES, MAX_UNSUPPORTED, MAX_SHOTS, MAX_PROPS = WORLD.get("line_bytes", 28), 40, 6, WORLD["max_shots"], 2
TREATMENT_BYTES = 240
MOVING = {"walks", "runs", "flies"}
ON_PLACE = {p: f"on the {p}" if p in ("beach", "moon") else p if p == "underwater" else f"in the {p}" for p in PLACES}
WEATHER_OF_TREATMENT = {"rain": " in the rain", "snow": " in the snowfall"}
CRICKETS = {"forest", "meadow", "castle"}  # by night


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
    weather: str | None = None  # id; None: the default
    moods: list | None = None  # ids, one an actor; None: the default
    props: list = dataclasses.field(default_factory=list)  # ids of what is shown, at most MAX_PROPS


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
    together = (event.actions[0] == event.actions[1] and event.actions[0] in MOVING) or "chases" in event.actions
    facings = ["right", "right"] if together else ["right" if p == "left" else "left" for p in positions]
    return positions, event.facings or facings


def prop_positions(positions):
    """Where up to MAX_PROPS props stand beside actors at `positions`."""
    if len(positions) > 1:
        return ["center", "left"]
    return ["left", "right"] if positions[0] == "right" else ["right", "left"]


def mood_of(event, i):
    return (event.moods[i] if event.moods else None) or (MOODS[0] if MOODS else None)


def ambience(place, time, weather):
    """The id of what is heard at a place."""
    wanted = "rain" if weather == "rain" else "wind" if weather == "snow" else "crickets" if time == "night" and place in CRICKETS else None
    return wanted if wanted in WORLD["ambiences"] else PLACES[place]["ambience"]


def treatment(story):
    """The story in canonical words, one sentence an event."""
    sentences, place = [], None
    for event in story.events:
        names = [a if mood_of(event, i) in (None, *MOODS[:1]) else f"{event.moods[i]} {a}" for i, a in enumerate(event.actors)]
        if len(event.actors) == 1:
            text = f"The {names[0]} {event.actions[0]}"
        elif event.actions[0] == event.actions[1]:
            text = f"The {names[0]} {event.actions[0]} with the {names[1]}"
        else:
            text = f"The {names[0]} {event.actions[0]}, the {names[1]} {event.actions[1]}"
        if event.place != place:
            text += f" {ON_PLACE[event.place]} by {event.time}{WEATHER_OF_TREATMENT.get(event.weather, '')}"
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
    settings = {}  # of each place: its time and weather
    for event in story.events:
        settings.setdefault(event.place, (event.time, event.weather or (WEATHERS[0] if WEATHERS else None)))
    shots = []
    for event, count in zip(story.events, shot_count(story)):
        positions, facings = staging(event)
        first = 1 if count > len(event.line) else 0
        for i in range(count):
            alone = count == 1
            size = story.size or SIZES[(len(shots) if alone else i) % len(SIZES)]
            shots.append({"place": event.place,
                          "cast": [{"id": a, "position": p, "facing": f, **({"mood": mood_of(event, k)} if MOODS else {})}
                                   for k, (a, p, f) in enumerate(zip(event.actors, positions, facings))],
                          **({"props": [{"id": p, "position": at} for p, at in zip(event.props, prop_positions(positions))]} if PROPS else {}),
                          "action_beats": [{"at_ms": 0, "who": a, "what": w} for a, w in zip(event.actors, event.actions)],
                          "camera": {"size": size, "move": story.move or "static"},
                          "line": (event.speaker, event.line[i - first]) if 0 <= i - first < len(event.line) else None,
                          "ambience": ambience(event.place, *settings[event.place])})
    shots = shots[:MAX_SHOTS]
    if not story.move and len(shots) > 1:
        shots[-1]["camera"]["move"] = "push_in"
    return plan_of(treatment(story), title(story), voices, settings, shots, story.unsupported[:MAX_UNSUPPORTED])


def plan_of(words, name, voices, settings, shots, unsupported):
    """The plan of shots as `oracle` makes them; `words` is its treatment, `name` its title, `voices` maps actors to voices and `settings` places to (time,
    weather)."""
    return {"version": "fabula.plan/1", "treatment": words, "title": name, "aspect": "16:9", "fps": 24,
            "total_ms": shot_start(len(shots)), "language": "en",
            "characters": [{"id": a, "name": ACTORS[a]["name"], "look": ACTORS[a]["look"], "voice": {"voice_id": v}} for a, v in voices.items()],
            "places": [{"id": p, "description": PLACES[p]["description"], "time_of_day": time, **({"weather": weather} if WEATHERS else {})}
                       for p, (time, weather) in settings.items()],
            "shots": [timed(shot, i, voices) for i, shot in enumerate(shots)],
            "sound": {"music": "none"}, "unsupported": unsupported}


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
            **({"props": shot["props"]} if "props" in shot else {}), "action_beats": shot["action_beats"], "camera": shot["camera"], "dialogue": dialogue,
            "ambience": shot["ambience"]}
