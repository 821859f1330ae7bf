"""Draws films of the full world: plans with cast, props, weather, moods, lines and music, and prompts that ask for them.

Training never uses a pair that world.json holds out, nor a seed from its `seeds_from` on; evaluation asks for exactly those (`split="held_out"`).
"""

from storybook import prompts, tracks
from world import editions, speech

WORLD = editions.world("full")
ACTORS, PROPS, PLACES, VOICES = ({e["id"]: e for e in WORLD[k]} for k in ("actors", "props", "places", "voices"))
SHOT_FRAMES, FPS = WORLD["shot_frames"][0], WORLD["fps"]
LINE_BYTES = 60
VOICE_OF = {"mouse": "mouse", "chick": "mouse", "bee": "imp", "ladybug": "mouse", "butterfly": "lady", "elephant": "giant", "bear": "giant", "whale": "giant",
            "dinosaur": "giant", "trex": "giant",
            "dragon": "giant", "robot": "machine", "alien": "imp", "ghost": "imp", "grandma": "lady", "princess": "slt", "mermaid": "lady", "wizard": "elder",
            "turtle": "elder", "owl": "awb",
            "girl": "child", "boy": "child", "fairy": "child", "parrot": "pirate", "shark": "pirate", "lion": "rms", "snowman": "rms"}
HANDY = [p for p, e in PROPS.items() if e["kind"] in ("round", "small") and e["size"] <= 0.6]  # can be carried and given
FLYERS = {"bee", "butterfly", "owl", "parrot", "duck", "flamingo", "goose", "dragon", "fairy", "ghost", "unicorn", "ladybug", "alien", "penguin", "chick"}
LINES = {"calm": ("Hello there!", "What a day!", "It is so quiet here.", "Let us sit down.", "Do you hear that?", "I like the {place}.", "I am the {me}."),
         "happy": ("Hooray!", "I love you!", "Look at me!", "We are free!", "This is the best day!", "Come and play!", "Happy birthday!",
                   "I love the {place}!"),
         "sad": ("I want to go home.", "Where are you?", "I miss my friend.", "I am so lonely.", "Please come back."),
         "angry": ("Stop that!", "Go away!", "Who did this?", "That is mine!", "I am very cross!"),
         "afraid": ("Who is there?", "Help me!", "It is so dark.", "I am scared.", "Wait for me!"),
         "surprised": ("Oh no!", "What is this?", "Did you see that?", "How did you do it?", "A {prop}!"),
         "sleepy": ("Good night.", "I am so tired.", "Good night, moon.", "See you tomorrow."),
         "proud": ("I did it!", "I am the king!", "I am not afraid!", "Nobody is faster than me!")}
WEATHER_LINES = {"rain": ("It is raining!", "I am all wet."), "snow": ("It is snowing!", "Snow is so white."),
                 "fog": ("I cannot see you.", "Where is everyone?"),
                 "storm": ("What a storm!", "Hold on!")}
MUSIC_OF = {"calm": "calm", "happy": "happy", "sad": "sad", "angry": "tense", "afraid": "tense", "surprised": "playful", "sleepy": "calm", "proud": "happy"}
ON_PLACE = {"forest": "in the forest", "beach": "on the beach", "desert": "in the desert", "snow": "in the snow", "city": "in the city", "moon": "on the moon",
            "meadow": "in the meadow",
            "underwater": "under the sea", "mountains": "in the mountains", "village": "in the village", "castle": "by the castle", "room": "in the room",
            "space": "in outer space", "cave": "in the cave"}
OPENINGS = ("Once, {who} {was} {place}.", "One {time}, {who} {was} {place}.", "This is a story of {who}.", "{Who} {was} {place}.",
            "Far away {place}, {who} {was} waiting.")


class Draw:
    """Random choices within a split of the world: "training" avoids held-out pairs, "held_out" and "any" do not."""

    def __init__(self, rng, split):
        self.rng, self.split = rng, split

    def chance(self, p):
        return self.rng.random() < p

    def one(self, items):
        items = list(items)
        return items[int(self.rng.integers(len(items)))]

    def allowed(self, kind, first, second):
        """Whether the split has the pair: training lacks those that world.json holds out."""
        return self.split != "training" or not editions.is_held_out(kind, first, second)

    def actor(self, place, taken=(), action=None):
        """An actor that may be at a place and do an action there."""
        here = [a for a in ACTORS if a not in taken and self.allowed("actors_places", a, place)]
        return self.one([a for a in here if not action or self.may(a, action)] or here)

    def may(self, actor, action):
        """Whether the split has the actor doing the action; everyone may stand."""
        return action == "stands" or self.allowed("actors_actions", actor, action)

    def tint(self, prop):
        """A tint that the split has for the prop, most often the natural one."""
        if self.chance(0.4):
            return "natural"
        return self.one([t["id"] for t in WORLD["tints"] if self.allowed("props_tints", prop, t["id"])])

    def does(self, actor, place):
        """An action that an actor can do alone at a place."""
        wet, void = PLACES[place]["water"], PLACES[place]["ground"] == "none"
        plain = ["walks", "runs", "jumps", "spins", "flies", "falls", "bounces", "rolls", "floats", "grows", "shrinks", "dances", "sleeps", "stands"]
        if wet:
            plain = ["swims", "swims", "swims", "floats", "spins", "grows", "shrinks", "dances", "sleeps", "stands", "walks"]
        if void:
            plain = ["floats", "floats", "flies", "spins", "grows", "shrinks", "dances", "sleeps", "rolls", "stands"]
        if actor in FLYERS and not wet:
            plain += ["flies"] * 3
        return self.one([a for a in plain if self.may(actor, a)] or ["stands"])


def times_of(place):
    """Times of day that can be told apart at a place."""
    if PLACES[place]["sky"] or place == "room":
        return WORLD["times"]
    return {"cave": ["day"], "space": ["night"]}.get(place, ["day", "night"])


def sample_film(rng, split="training", shots=None):
    """A plan of one to four shots (docs/BUNDLE.md), drawn from a numpy Generator."""
    d = Draw(rng, split)
    place = d.one(PLACES)
    time = d.one(times_of(place))
    weather = d.one(["clear", "clear", *WORLD["weathers"]]) if PLACES[place]["sky"] else "clear"
    if place == "desert" and weather in ("rain", "snow"):
        weather = "clear"
    count = shots or int(rng.integers(1, 5))
    cast = [d.actor(place)]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.3, 0.5, 0.2]))):
        cast.append(d.actor(place, cast))
    film = Film(d, place, time, weather, cast)
    for i in range(count):
        film.add(i, count)
    return film.plan()


class Film:
    """A plan under construction, with the facts that hold so far."""

    def __init__(self, d, place, time, weather, cast):
        self.d, self.place, self.time, self.weather, self.cast = d, place, time, weather, cast
        self.props, self.start, self.facts, self.shots = [], [], {}, []
        self.voices = {a: VOICE_OF.get(a) if a in VOICE_OF and d.chance(0.8) else d.one(VOICES) for a in cast}
        self.mood = d.one(["calm", "happy", "happy", *WORLD["moods"]])
        for a in cast:
            mood = self.mood if d.chance(0.6) else d.one(WORLD["moods"])
            self.fact(a, "mood", mood)
        self.narrator = None
        for _ in range(int(d.rng.choice([0, 1, 2], p=[0.35, 0.45, 0.2]))):
            self.scatter()
        self.music = "none" if d.chance(0.3) else MUSIC_OF[self.mood] if d.chance(0.7) else d.one(WORLD["music"][1:])

    def fact(self, entity, attribute, value):
        """Adds a fact that holds from the start."""
        self.start.append({"entity": entity, "attribute": attribute, "value": value})
        self.facts[entity, attribute] = value

    def scatter(self, prop=None, holder=None):
        """Adds a prop to the place, or to an actor's hands."""
        here = [p for p in PROPS if p not in {q["id"] for q in self.props}]
        if not PLACES[self.place]["sky"]:
            here = [p for p in here if PROPS[p]["kind"] not in ("heavy", "wheels", "boat")]
        prop = prop or self.d.one(here)
        entry, tint = PROPS[prop], self.d.tint(prop)
        look = entry["look"] if tint == "natural" else f"{'an' if tint == 'orange' else 'a'} {tint} {entry['name'].lower()}"
        self.props.append({"id": prop, "description": look, "states": entry["states"]})
        if holder:
            self.fact(prop, "holder", holder)
        else:
            self.fact(prop, "place", self.place)
            taken = {v for (_, attribute), v in self.facts.items() if attribute == "position"}
            sides = ("left", "right") if entry["kind"] == "heavy" else ("left", "right", "center")
            self.fact(prop, "position", self.d.one([p for p in sides if p not in taken] or ["left", "right"]))
        self.fact(prop, "state", "rests" if holder and "rests" in entry["states"] else self.d.one(entry["states"]))
        self.fact(prop, "tint", tint)
        return prop

    def add(self, i, count):
        """Adds shot i of `count`."""
        d, cast, place = self.d, self.cast, self.place
        effects, pre, beats = [], [], []
        together = ["chase", "chase", "gives", "gives", "talks", "talks", "dance"] if len(cast) > 1 else ["carries", "dance"]
        wish = d.one(["each", "each", "each", "carries", *together])
        if i == 0 and d.chance(0.22):  # entering only in the first shot, leaving only in the last
            wish = "enters"
        if i == count - 1 and d.chance(0.25):
            wish = d.one(["exits", "sleep"])
        shown = cast[:1] if len(cast) == 1 or d.chance(0.2) and wish not in ("chase", "gives", "talks") else cast
        held = [p for p in self.props if self.facts.get((p["id"], "holder")) in shown]
        lead = shown[0]
        rest = [a for a in shown if a != lead]

        def beat(who, what, at=0):
            """Adds a beat if the split allows it and there are fewer than three; returns whether it did."""
            if d.may(who, what) and len(beats) < 3:
                beats.append({"at_ms": at, "who": who, "what": what})
                return True
            return False
        ground = PLACES[place]["ground"] != "none"
        if wish == "chase" and ground:
            lead, prey = next(((a, b) for a in shown for b in shown if a != b and d.may(a, "chases") and d.may(b, "runs")), (lead, None))
            if prey and beat(lead, "chases"):
                beat(prey, "runs")
        elif wish in ("gives", "carries"):
            if not held and i == 0:
                lead = next((a for a in shown if d.may(a, wish)), None)
                if lead:
                    held = [{"id": self.scatter(d.one([p for p in HANDY if p not in {q["id"] for q in self.props}]), lead)}]
            holder = self.facts[held[0]["id"], "holder"] if held else None
            if holder in shown and wish == "gives" and len(shown) > 1:
                to = d.one([a for a in shown if a != holder])
                if beat(holder, "gives"):
                    effects = [{"entity": held[0]["id"], "attribute": "holder", "value": to}]
                    if self.facts.get((to, "mood")) != "happy":
                        effects.append({"entity": to, "attribute": "mood", "value": "happy"})
                    pre = [{"entity": held[0]["id"], "attribute": "holder", "value": holder}]
            elif holder in shown and ground:
                beat(holder, "carries")
        elif wish == "talks" and rest:
            lead = next((a for a in shown if d.may(a, "talks")), lead)
            beat(lead, "talks")
        elif wish == "enters":
            if beat(lead, "enters"):
                beat(lead, d.one([a for a in ("jumps", "dances", "spins", "stands") if d.may(lead, a)]), 2200)
        elif wish == "exits":
            beat(lead, "exits", 1200)
        elif wish == "sleep":
            for a in shown:
                beat(a, "sleeps")
        elif wish == "dance":
            for a in shown:
                beat(a, "dances")
        if not beats:
            for a in shown:
                what = d.does(a, place)
                beat(a, what)
            if len(shown) == 1 and d.chance(0.4) and beats:
                beat(shown[0], d.does(shown[0], place), int(d.rng.integers(16, 28)) * 100)
        if d.chance(0.2) and not effects:
            who = d.one(shown)
            mood = d.one([m for m in WORLD["moods"] if m != self.facts[who, "mood"]])
            effects.append({"entity": who, "attribute": "mood", "value": mood})
        self.shot(shown, beats, pre, effects)

    def shot(self, shown, beats, pre, effects):
        """Adds a shot with given beats and effects."""
        d, i = self.d, len(self.shots)
        start, end = at_ms(i), at_ms(i + 1)
        positions = ["center"] if len(shown) == 1 else ["left", "right"] if len(shown) == 2 else ["left", "center", "right"]
        if len(shown) == 1 and d.chance(0.4):
            positions = [d.one(WORLD["positions"])]
        whats = {b["what"] for b in beats}
        facings = []
        for p in positions:
            face = "right" if p == "left" else "left" if p == "right" else d.one(WORLD["facings"])
            facings.append(face if d.chance(0.85) else d.one(WORLD["facings"]))
        if "chases" in whats:
            facings = ["right"] * len(shown)
        depth = d.one(WORLD["depths"]) if d.chance(0.25) else "midground"
        cast = [{"id": a, "position": p, "facing": f} for a, p, f in zip(shown, positions, facings)]
        if depth != "midground":
            cast[-1] = {"id": shown[-1], "position": positions[-1], "depth": depth, "facing": facings[-1]}
        sizes = ["wide", "wide", "medium"]
        if len(shown) < 3 and not whats & {"chases", "runs", "exits", "enters", "flies"}:
            sizes = ["wide", "medium", "medium"] if len(shown) > 1 else ["wide", "medium", "close", "close"]
        moves = ["static", "static", *WORLD["camera_moves"]]
        if not whats & {"walks", "runs", "flies", "swims", "rolls", "chases", "carries"}:
            moves.remove("track")
        before = [s["camera"]["size"] for s in self.shots[-2:]]
        if len(before) == 2 and before[0] == before[1]:  # never the same size three times
            sizes = [s for s in sizes if s != before[0]] or ["wide"]
        camera = {"size": d.one(sizes), "move": d.one(moves)}
        dialogue = self.lines(shown, start, end, whats, i)
        place = PLACES[self.place]
        ambience = {"rain": "rain", "storm": "storm"}.get(self.weather) if place["sky"] else None
        if ambience is None:
            ambience = "wind" if self.weather == "snow" else place["ambience"]
            if self.time == "night" and self.place in ("forest", "meadow", "village", "castle", "mountains"):
                ambience = "crickets"
        shot = {"id": f"s{10 * (i + 1):03}", "place": self.place, "start_ms": start, "duration_ms": end - start, "cast": cast,
                "action_beats": sorted(beats, key=lambda b: b["at_ms"]),
                **({"pre": pre} if pre else {}), **({"effects": effects} if effects else {}), "camera": camera, "dialogue": dialogue, "ambience": ambience}
        self.shots.append(shot)
        for f in effects:
            self.facts[f["entity"], f["attribute"]] = f["value"]

    def lines(self, shown, start, end, whats, i):
        """The lines of a shot."""
        d, lines, at = self.d, [], start + speech.LEAD_MS
        said = []
        if i == 0 and len(shown) < 3 and d.chance(0.3):  # at most three act or speak
            self.narrator = d.one([a for a in ("owl", "grandma", "wizard", "turtle") if a not in self.cast] or ["owl"])
            self.voices.setdefault(self.narrator, d.one(["awb", "lady", "elder", "rms", "slt"]))
            names = " and ".join(f"the {ACTORS[a]['name'].lower()}" for a in self.cast)
            text = d.one(OPENINGS).format(who=names, Who=names[0].upper() + names[1:], place=ON_PLACE[self.place], time=self.time,
                                          was="was" if len(self.cast) == 1 else "were")
            said.append((self.narrator, text, "voiceover"))
        elif "sleeps" not in whats and (d.chance(0.55) or "talks" in whats):
            speakers = shown[:2] if len(shown) > 1 and d.chance(0.5) else [d.one(shown)]
            for a in speakers:
                pool = LINES[self.facts[a, "mood"]] + WEATHER_LINES.get(self.weather, ()) * (1 if d.chance(0.3) else 0)
                prop = PROPS[d.one(self.props)["id"]]["name"].lower() if self.props else "surprise"
                place = {"underwater": "sea", "space": "stars"}.get(self.place, self.place)
                said.append((a, d.one(pool).format(me=ACTORS[a]["name"].lower(), place=place, prop=prop), "on_screen"))
        for who, text, mode in said:
            length = speech.speech_ms(text, VOICES[self.voices[who]])
            if at + length > end - speech.TAIL_MS or len(text.encode()) > LINE_BYTES:
                break
            line = {"speaker": who, "text": text, "start_ms": at, "end_ms": at + length}
            mood = self.facts.get((who, "mood"))
            if mode == "on_screen" and mood != "calm":
                line["delivery"] = mood
            lines.append({**line, "mode": mode})
            at += length + 250
        return lines

    def plan(self):
        """The finished plan."""
        characters = self.cast + ([self.narrator] if self.narrator and self.narrator not in self.cast else [])
        place = PLACES[self.place]
        entry = {"id": self.place, "description": place["description"], "time_of_day": self.time, **({"weather": self.weather} if place["sky"] else {})}
        first = ACTORS[self.cast[0]]["name"]
        plan = {"version": "fabula.plan/1", "treatment": "", "title": f"{first} {ON_PLACE[self.place]}", "aspect": "16:9", "fps": 24,
                "total_ms": at_ms(len(self.shots)), "language": "en",
                "characters": [{"id": a, "name": ACTORS[a]["name"], "look": ACTORS[a]["look"], "voice": {"voice_id": self.voices[a]}} for a in characters],
                "places": [entry], **({"props": self.props} if self.props else {}), "world": self.start, "shots": self.shots, "sound": {"music": self.music},
                "unsupported": []}
        for i, shot in enumerate(plan["shots"]):
            events = tracks.sound_effects(plan, i)
            if events:
                plan["shots"][i] = {**{k: v for k, v in shot.items() if k != "ambience"}, "sfx": events, "ambience": shot["ambience"]}
        plan["treatment"] = treatment(plan)
        return plan


def at_ms(index):
    """Milliseconds before shot `index`."""
    return int(1000 * SHOT_FRAMES * index / FPS + 0.5)


def treatment(plan):
    """The film in canonical words, one sentence per shot."""
    sentences = []
    for i, shot in enumerate(plan["shots"]):
        parts = [f"the {ACTORS[b['who']]['name'].lower()} {ACTION_WORDS[b['what']]}" for b in shot["action_beats"]]
        text = ", ".join(parts)
        if i == 0:
            place = plan["places"][0]
            text += f" {ON_PLACE[place['id']]} {'by' if place['time_of_day'] == 'day' else 'at'} {place['time_of_day']}"
            text += f" in the {place['weather']}" if place.get("weather", "clear") != "clear" else ""
        sentences.append(text[0].upper() + text[1:] + ".")
    return " ".join(sentences)


ACTION_WORDS = {a["id"]: a["words"][0] for a in WORLD["actions"]}
ACTION_WORDS.update(talks="talks", chases="gives chase", gives="gives a present", carries="carries something")


def pairs_of(plan):
    """Every (actor, action), (actor, place) and (prop, tint) of a plan: {(kind, first, second)}."""
    facts, found = {(f["entity"], f["attribute"]): f["value"] for f in plan.get("world", [])}, set()
    for shot in plan["shots"]:
        found |= {("actors_places", m["id"], shot["place"]) for m in shot["cast"]}
        found |= {("actors_actions", b["who"], b["what"]) for b in shot["action_beats"]}
    found |= {("props_tints", p["id"], facts[p["id"], "tint"]) for p in plan.get("props", []) if (p["id"], "tint") in facts}
    return found


def held_out_in(plan):
    """A plan's pairs that world.json holds out of training."""
    return {p for p in pairs_of(plan) if editions.is_held_out(*p)}


def sample_plan(rng, split="training"):
    """(prompt, plan), drawn from a numpy Generator. With split "held_out" the plan has at least one held-out pair."""
    while True:
        plan = sample_film(rng, "training" if split == "training" else "any")
        if split != "held_out" or held_out_in(plan):
            return prompts.worded(rng, plan, WORLD), plan
