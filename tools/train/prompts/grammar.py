"""Stories of the world: their meaning, and the plan that follows from it.

`grammar_prompts.sample_plan` draws a meaning (`Story`), words it as a prompt and lets `oracle` write the plan. The oracle is deterministic: fixed rules fill
in what a prompt leaves out, so that a reader, and the planner, can know it.

Defaults. Actor missing or unknown: the fox. Place missing or unknown: the forest; in a later event, a missing place is the current one. Time: day. Action
missing or unknown: stands.

Staging. One actor stands in the centre and faces right. Two stand left and right and face each other, or both right if both walk, run or fly, or one chases
the other. When one `talks`, the other stands; when one chases, the other runs; alone, `talks` becomes stands and `chases` runs.

Shots. One event makes three shots, two make two each, more make one each. A line is spoken in its event's second shot; a line that follows another is an
event of its own in which the speaker stands alone. The shots of an event are wide, medium and close in turn; so are the single shots of several events.

Voices. By the actor's position in world.json: even slt, odd rms. `he` means rms, `she` slt; a requested voice takes precedence.

Weather, moods, props. Weather: the world's first (clear); a stated one persists where the place can have it. Mood: the first (calm); a stated one persists
for the actor. Props persist for later events at the same place, at most two. The first is right of an actor in the centre or on the left, else left; the
second is on the other side. Beside two actors the first is in the centre and the second on the left.
"""

import dataclasses

from world import editions, speech

WORLD = editions.world()

ACTORS = {a["id"]: a for a in WORLD["actors"]}
PLACES = {p["id"]: p for p in WORLD["places"]}
VOICES = {v["id"]: v for v in WORLD["voices"]}
PROPS = {p["id"]: p for p in WORLD.get("props", []) if "words" in p}
# Ids, the default first; empty if the world has none.
WEATHERS, MOODS = ([e["id"] for e in WORLD.get(name, []) if isinstance(e, dict)] for name in ("weathers", "moods"))
SIZES = [s for s in ("wide", "medium", "close") if s in WORLD["camera_sizes"]]  # sizes of an event's shots, in turn
LINE_BYTES, SPAN_BYTES, MAX_UNSUPPORTED, MAX_SHOTS, MAX_PROPS = WORLD.get("line_bytes", 28), 40, 6, WORLD["max_shots"], 2
TREATMENT_BYTES = 240
MOVING = {"walks", "runs", "flies"}
ON_PLACE = {p: f"on the {p}" if p in ("beach", "moon") else p if p == "underwater" else f"in the {p}" for p in PLACES}
WEATHER_OF_TREATMENT = {"rain": " in the rain", "snow": " in the snowfall"}
CRICKETS = {"forest", "meadow", "castle"}  # ambience at night


@dataclasses.dataclass
class Event:
    """Simultaneous actions of one or two actors: where, when, and at most one line."""
    actors: list  # ids
    actions: list  # ids, one per actor
    place: str
    time: str
    speaker: str | None = None  # id
    line: list = dataclasses.field(default_factory=list)  # pieces of the line, each a legal span of the prompt
    positions: list | None = None  # requested ones
    facings: list | None = None
    weather: str | None = None  # id; None: the default
    moods: list | None = None  # ids, one per actor; None: the default
    props: list = dataclasses.field(default_factory=list)  # ids, at most MAX_PROPS


@dataclasses.dataclass
class Story:
    """The meaning of a prompt."""
    events: list
    voices: dict = dataclasses.field(default_factory=dict)  # actor -> voice, where requested or implied by he / she
    shots: int | None = None  # requested number
    size: str | None = None
    move: str | None = None
    unsupported: list = dataclasses.field(default_factory=list)  # spans of the prompt


def shot_count(story):
    """The number of shots of each event."""
    events = story.events
    base = {1: 3, 2: 2}.get(len(events), 1)
    counts = [base] * len(events)
    if story.shots:
        each, rest = divmod(max(story.shots, len(events)), len(events))
        counts = [each + (i < rest) for i in range(len(events))]
    counts = [max(n, len(e.line)) for n, e in zip(counts, events)]
    while sum(counts) > MAX_SHOTS:  # shorten events with long lines last
        spare = [i for i in range(len(counts)) if counts[i] > max(1, len(events[i].line))]
        if not spare:
            break
        counts[max(spare, key=lambda i: counts[i])] -= 1
    return counts


def default_voice(actor):
    """The voice of an actor for which none is requested."""
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
    """Positions of up to MAX_PROPS props beside actors at `positions`."""
    if len(positions) > 1:
        return ["center", "left"]
    return ["left", "right"] if positions[0] == "right" else ["right", "left"]


def mood_of(event, i):
    """The mood of the event's i-th actor; None in a world without moods."""
    return (event.moods[i] if event.moods else None) or (MOODS[0] if MOODS else None)


def ambience(place, time, weather):
    """The id of the ambience of a place."""
    wanted = "rain" if weather == "rain" else "wind" if weather == "snow" else "crickets" if time == "night" and place in CRICKETS else None
    return wanted if wanted in WORLD["ambiences"] else PLACES[place]["ambience"]


def treatment(story):
    """The story in canonical words, one sentence per event, at most TREATMENT_BYTES."""
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
    """The title, such as "Fox in the Forest"."""
    first = story.events[0]
    return f"{ACTORS[first.actors[0]]['name']} {ON_PLACE[first.place].title().replace('The', 'the').replace('In ', 'in ').replace('On ', 'on ')}"


def oracle(story):
    """The plan of a story (docs/BUNDLE.md). Events that do not fit into `max_shots` are dropped."""
    actors = list(dict.fromkeys(a for e in story.events for a in e.actors))
    voices = {a: story.voices.get(a, default_voice(a)) for a in actors}
    settings = {}  # place -> (time, weather)
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
    """Assembles a plan. words: the treatment; name: the title; voices: actor -> voice; settings: place -> (time, weather); shots: without ids and times."""
    return {"version": "fabula.plan/1", "treatment": words, "title": name, "aspect": "16:9", "fps": 24,
            "total_ms": shot_start(len(shots)), "language": "en",
            "characters": [{"id": a, "name": ACTORS[a]["name"], "look": ACTORS[a]["look"], "voice": {"voice_id": v}} for a, v in voices.items()],
            "places": [{"id": p, "description": PLACES[p]["description"], "time_of_day": time, **({"weather": weather} if WEATHERS else {})}
                       for p, (time, weather) in settings.items()],
            "shots": [timed(shot, i, voices) for i, shot in enumerate(shots)],
            "sound": {"music": "none"}, "unsupported": unsupported}


def shot_start(index):
    """Milliseconds before shot `index`; for the number of shots, the length of the film."""
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
