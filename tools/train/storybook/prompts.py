"""Prompts that people might write for a plan of the full world: sentences with synonyms that mention almost everything, sometimes camera and music."""

from storybook import tracks

# Third person; {p} is the prop in hand, {o} the other actor.
VERBS = {"stands": ("stands still", "waits", "stands there", "looks around"), "walks": ("walks", "strolls", "wanders", "goes for a walk"),
         "runs": ("runs", "races", "dashes", "sprints"),
         "jumps": ("jumps", "hops", "leaps", "jumps up and down"), "spins": ("spins", "twirls", "whirls", "spins around"),
         "flies": ("flies", "soars", "flies around", "takes off"),
         "falls": ("falls down", "falls from above", "tumbles down", "drops from the sky"),
         "bounces": ("bounces", "bounces up and down", "bounces like a ball"),
         "rolls": ("rolls", "rolls along", "rolls over the ground"), "floats": ("floats", "drifts", "hovers"), "swims": ("swims", "paddles", "swims around"),
         "grows": ("grows", "gets bigger", "becomes huge"), "shrinks": ("shrinks", "gets smaller", "becomes tiny"),
         "enters": ("comes in", "enters", "walks in", "arrives"),
         "exits": ("walks away", "leaves", "exits", "goes away"), "sleeps": ("sleeps", "naps", "is fast asleep", "takes a nap"),
         "dances": ("dances", "dances merrily", "sways to the beat"),
         "talks": ("talks to {o}", "chats with {o}", "speaks with {o}"), "chases": ("chases {o}", "runs after {o}", "hunts {o}"),
         "gives": ("gives {p} to {o}", "hands {p} over to {o}", "gives {o} {p}"), "carries": ("carries {p}", "walks along with {p}", "takes {p} for a walk")}
STATES = {"rests": ("There is {p}.", "{P} lies there."), "bounces": ("{P} bounces.", "{P} bounces up and down."),
          "rolls": ("{P} rolls along.", "{P} rolls by."),
          "falls": ("{P} falls down.", "{P} drops."),
          "floats": ("{P} floats.", "{P} hovers."), "rises": ("{P} rises.", "{P} goes up into the sky."), "drifts": ("{P} drifts down.", "{P} falls slowly."),
          "flies": ("{P} flies by.", "{P} is in the air."),
          "drives": ("{P} drives past.", "{P} drives by."), "launches": ("{P} takes off.", "{P} is launched."),
          "sways": ("{P} sways.", "{P} moves in the breeze."),
          "swings": ("{P} swings.", "{P} rings."),
          "rings": ("{P} rings.", "{P} goes off."), "twinkles": ("{P} twinkles.", "{P} sparkles."), "grows": ("{P} grows.", "{P} gets bigger.")}
FEELING = {"happy": ("happy", "cheerful", "merry"), "sad": ("sad", "unhappy", "tearful"), "angry": ("angry", "cross", "furious"),
           "afraid": ("scared", "frightened", "afraid"),
           "surprised": ("surprised", "amazed", "astonished"), "sleepy": ("sleepy", "tired", "drowsy"), "proud": ("proud", "smug")}
TIMES = {"dawn": ("at dawn", "at sunrise", "early in the morning"), "day": ("by day", "on a bright day", "at noon"),
         "dusk": ("at dusk", "at sunset", "in the evening"),
         "night": ("at night", "by night", "after dark")}
WEATHERS = {"rain": ("It rains.", "It is raining.", "Rain falls."), "snow": ("It snows.", "Snow falls.", "It is snowing."),
            "fog": ("It is foggy.", "Fog everywhere.", "There is thick fog."),
            "storm": ("There is a storm.", "A storm rages.", "Thunder and lightning.")}
PLACES = {"forest": ("in the forest", "in the woods"), "beach": ("on the beach", "at the seaside"), "desert": ("in the desert", "among the dunes"),
          "snow": ("in the snow", "in the snowy mountains"),
          "city": ("in the city", "in a city street"), "moon": ("on the moon", "on the surface of the moon"),
          "meadow": ("in the meadow", "in a field of flowers"),
          "underwater": ("under the sea", "at the bottom of the sea", "underwater"), "mountains": ("in the mountains", "in the alps"),
          "village": ("in the village", "in a small village"),
          "castle": ("by the castle", "in front of a castle"), "room": ("in the room", "at home", "in a cosy room"),
          "space": ("in outer space", "among the stars"),
          "cave": ("in a cave", "in the crystal cave")}
SIZES = {"wide": ("Wide shot.", "Seen from afar."), "medium": ("Medium shot.",), "close": ("Close-up.", "Close shot.")}
MOVES = {"push_in": ("The camera pushes in.", "Zoom in."), "pull_out": ("The camera pulls out.", "Zoom out."), "pan": ("The camera pans.", "Pan across."),
         "tilt": ("The camera tilts down.", "Tilt down from the sky."),
         "track": ("The camera follows.", "Tracking shot."), "shake": ("The camera shakes.", "Shaky camera.")}
MUSIC = {"calm": ("calm music", "soft music"), "happy": ("happy music", "cheerful music"), "sad": ("sad music", "a sad tune"),
         "playful": ("playful music", "funny music"),
         "tense": ("tense music", "scary music"), "magical": ("magical music", "dreamy music")}
SAY = ("says", "says", "calls", "whispers", "shouts")


def worded(rng, plan, world):
    """A prompt for the plan. world: the full world (world.json)."""
    def one(items):
        return items[int(rng.integers(len(items)))]
    words = {a["id"]: a["words"] for a in world["actors"]}
    described = {p["id"]: p["description"] for p in plan.get("props", [])}
    known, mentioned, sentences = set(), set(), []

    def called(actor, mood=None):
        """The actor as a noun phrase, such as "a happy fox" for the first mention, then "the fox"."""
        feeling = f"{one(FEELING[mood])} " if mood in FEELING and rng.random() < 0.85 else ""
        noun = feeling + one(words[actor])
        first = actor not in known
        known.add(actor)
        return ("an " if noun[0] in "aeiou" else "a ") + noun if first else f"the {noun}"

    def sentence(text):
        sentences.append(text[0].upper() + text[1:] if text else text)
    place = plan["places"][0]
    for i, shot in enumerate(plan["shots"]):
        facts = tracks.facts_before(plan, i)
        ids = [m["id"] for m in shot["cast"]]
        doing = {}
        for beat in shot["action_beats"]:
            doing.setdefault(beat["who"], []).append(beat["what"])
        clauses, named = [], set()
        for actor, whats in doing.items():
            subject, parts = called(actor, facts.get((actor, "mood"))), []
            named.add(actor)
            for what in whats:
                verb = one(VERBS[what])
                other = next((a for a in ids if a != actor), actor)
                held = next((described[e] for (e, attribute), v in facts.items() if attribute == "holder" and v == actor and e in described), "something")
                if "{o}" in verb:
                    getter = next((f["value"] for f in shot.get("effects", []) if f["attribute"] == "holder"), other)
                    verb = verb.replace("{o}", called(getter, facts.get((getter, "mood"))))
                    named.add(getter)
                parts.append(verb.replace("{p}", held))
            clauses.append(f"{subject} {' and then '.join(parts)}")
        for actor in ids:
            if actor not in named and actor not in known:
                clauses.append(f"{called(actor, facts.get((actor, 'mood')))} is there")
        text = (", and " if len(clauses) == 2 else ", ").join(clauses)
        if i == 0:
            where = f"{one(PLACES[place['id']])} {one(TIMES[place['time_of_day']])}"
            text = f"{where}, {text}" if rng.random() < 0.4 else f"{text} {where}"
            sentence(text + ".")
            if place.get("weather", "clear") != "clear":
                sentence(one(WEATHERS[place["weather"]]))
        else:
            sentence(one(("Then ", "Next, ", "After that, ", "", "")) + text + ".")
        for prop in plan.get("props", []):
            if prop["id"] not in mentioned and facts.get((prop["id"], "place")) == shot["place"]:
                mentioned.add(prop["id"])
                p = prop["description"]
                sentence(one(STATES[facts[prop["id"], "state"]]).replace("{p}", p).replace("{P}", p))
        for fact in shot.get("effects", []):
            if fact["attribute"] == "mood" and fact["value"] in FEELING:
                sentence(f"{called(fact['entity'])} becomes {one(FEELING[fact['value']])}.")
        for line in shot["dialogue"]:
            if line["mode"] == "voiceover":
                sentence(f'A narrator says: "{line["text"]}"')
            else:
                sentence(f'{called(line["speaker"])} {one(SAY)}: "{line["text"]}"')
        if rng.random() < 0.3:
            sentence(one(SIZES[shot["camera"]["size"]]))
        if shot["camera"]["move"] in MOVES and rng.random() < 0.7:
            sentence(one(MOVES[shot["camera"]["move"]]))
    if plan["sound"]["music"] != "none" and rng.random() < 0.8:
        sentence(f"With {one(MUSIC[plan['sound']['music']])}.")
    return " ".join(sentences)
