"""Wordings of stories: `sample` draws a meaning and a prompt that a person might type for it.

Parts that the plan copies (lines, and what the world does not know) are wrapped in private-use marks while the prompt is put together and read back from the finished text, so a change of case or a typing
slip is copied as it stands.
"""

import re

from grammar import ACTORS, LINE_BYTES, MAX_UNSUPPORTED, PLACES, SPAN_BYTES, Event, Story
from grammar_spans import legal_spans, pieces
from grammar_words import (ADJECTIVES, ADVERBS, COLOURS, CONNECTIVES, OBJECTS, OPENERS, PLACES as PLACE_WORDS, PROPS, SAY, SPEECHES, STORY_OPENERS, STYLES, TIME_SENTENCES, TIMES,
                           UNKNOWN_ACTORS, UNKNOWN_PLACES, UNKNOWN_TIMES, UNKNOWN_VERBS, VERBS, VOICES, WEATHER)
from sound_data import WORDS

UNKNOWN, LINE = "\ue000\ue001", "\ue002\ue003"  # marks around a span
FRONT = {"wide": ["Wide shot: ", "Wide shot of ", "A wide view of "], "medium": ["Close-up of ", "Close up: ", "Medium shot of ", "A close view of "]}
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]


class Writer:
    """One prompt in the making."""

    def __init__(self, rng):
        self.rng = rng
        self.known = []  # actors named so far, in order
        self.strange = None  # the surface noun of an unknown actor
        self.pronoun = self.pick(["it"] * 4 + ["he", "she"])
        self.voices = {}
        self.tense = self.pick(["third"] * 6 + ["gerund", "gerund", "past"])

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def chance(self, p):
        return self.rng.random() < p

    def nonsense(self):
        syllables = [self.pick("b d f g k l m n p r s t v w z bl dr gr kl sn tr sh ch qu zw".split()) + self.pick("a e i o u oo ee ai".split()) + self.pick(["", "", "n", "r", "x", "lk", "mp", "st"])
                     for _ in range(int(self.rng.integers(1, 4)))]
        return "".join(syllables)

    # --- what is copied ---
    def mark(self, text, marks=UNKNOWN):
        return marks[0] + text + marks[1]

    def words_of_line(self):
        kind = self.rng.random()
        if kind < 0.3:
            text = self.pick(SPEECHES)
        elif kind < 0.75:
            text = " ".join(self.pick(WORDS) for _ in range(int(self.rng.integers(1, 7))))
        elif kind < 0.9:
            text = " ".join(self.letters() if self.chance(0.6) else self.pick(WORDS) for _ in range(int(self.rng.integers(1, 5))))
        else:
            noun = self.pick([self.pick(PLACE_WORDS[p][0]) for p in PLACES] + list(ACTORS) + [v[0] for a in VERBS for v in VERBS[a]])
            text = self.pick(["I love the {}", "where is the {}", "let us go to the {}", "{}", "the {} is here", "do you see the {}", "my {}", "a {} at night", "I am not a {}"]).format(noun)
        if self.chance(0.1):
            text += self.pick([" ", ", "]) + " ".join(self.pick(WORDS) for _ in range(int(self.rng.integers(4, 10))))
        return text

    def letters(self):
        return "".join(self.pick("abcdefghijklmnopqrstuvwxyz0123456789") if self.chance(0.05) else self.pick("etaoinshrdlucmfwypvbgkjqxz") for _ in range(int(self.rng.integers(1, 9))))

    def speech(self, quoted):
        """A line's text, marked, with its end: quote or full stop."""
        while True:
            text = self.words_of_line()
            if not quoted:
                text = text.replace(",", "")
            if self.chance(0.3 if quoted else 0.15):
                text = text[0].upper() + text[1:]
            if self.chance(0.25):
                text += self.pick("!!?")
            if pieces(text, LINE_BYTES):
                break
        body = self.mark(text, LINE)
        if not quoted:
            return body + ("" if text[-1] in "!?" else ".")
        quotes = self.pick(['""'] * 5 + ["''", "“”"])
        stop = "" if text[-1] in "!?" else self.pick(["", "", ".", ","])
        return quotes[0] + body + stop + quotes[1]

    # --- noun phrases ---
    def article(self, noun, first):
        if not first or self.chance(0.15):
            return "the "
        return "an " if noun.strip(UNKNOWN)[0].lower() in "aeiou" else "a "

    def actor(self, event, i=0):
        """The event's i-th actor as a noun phrase."""
        actor, noun = event.actors[i], None
        first = actor not in self.known
        if event.strange and event.strange[i]:
            noun, first = event.strange[i], event.strange[i] != self.strange
            self.strange = noun
            if first:
                noun = self.mark(noun)
        if actor not in self.known:
            self.known.append(actor)
        noun = noun or self.pick(ACTORS[actor]["words"][:1] * 4 + ACTORS[actor]["words"])
        if first and self.chance(0.15):
            noun = f"{self.pick(ADJECTIVES)} {noun}"
        elif first and self.chance(0.03):
            noun = f"{self.mark(self.pick(COLOURS))} {noun}"
        if self.terse and self.chance(0.6):
            return noun
        return self.article(noun, first) + noun

    def again(self, event, last):
        """A later mention of the first actor: a pronoun only where it is plain who is meant."""
        if last == event.actors and len(last) == 1 and self.chance(0.6):
            if self.pronoun != "it":
                self.voices[event.actors[0]] = {"he": "rms", "she": "slt"}[self.pronoun]
            return self.pronoun
        return self.actor(event)

    def verb(self, event, i, form):
        words = event.verbs[i]
        index = {"base": 0, "third": 1, "gerund": 2, "past": 3}[form]
        text = words[index]
        if event.odd[i]:
            thing = self.pick(OBJECTS.get(words[0], [""])) if self.chance(0.6) else ""
            text = self.mark(f"{text} {thing}".strip())
        if self.chance(0.1):
            text += " " + self.pick(ADVERBS)
        return text

    def finite(self, event, i):
        """"runs", "is running", "ran"."""
        if self.tense == "gerund":
            return "is " + self.verb(event, i, "gerund")
        return self.verb(event, i, self.tense)

    # --- where and when ---
    def place(self, event):
        if event.strange_place:
            noun = event.strange_place
            return self.pick(["in", "in", "at", "through", "inside", "near", "on", "across"]) + " " + self.article(noun, self.chance(0.5)) + self.mark(noun)
        nouns, prepositions = PLACE_WORDS[event.place]
        noun = self.pick(nouns)
        article = "the "
        if event.place in ("forest", "desert", "city", "beach") and not noun.endswith("s") and noun not in ("sand", "sahara") and self.chance(0.4):
            article = self.article(noun, True)
        if noun in ("snow", "white snow", "snowy mountains", "icy mountains") and self.chance(0.4):
            article = ""
        return f"{self.pick(prepositions)} {article}{noun}"

    def time(self, event):
        if event.strange_time:
            return event.strange_time[0] + self.mark(event.strange_time[1])
        return self.pick(TIMES[event.time])

    def setting(self, event):
        """Phrases for what the event says of place and time."""
        parts = ([self.place(event)] if event.says_place else []) + ([self.time(event)] if event.says_time else [])
        return parts[::-1] if len(parts) == 2 and self.chance(0.15) else parts

    def stage(self, event, i=0):
        """"on the left", "facing right" as far as asked for."""
        text = ""
        if event.positions:
            text += {"left": self.pick([" on the left", " on the left side"]), "right": self.pick([" on the right", " on the right side"]), "center": self.pick([" in the middle", " in the center"])}[event.positions[i]]
        if event.facings and len(event.actors) == 1:
            side = event.facings[0]
            moving = event.actions[0] in ("walks", "runs", "flies") and not event.odd[0]
            text += self.pick([f" to the {side}", f" towards the {side}"]) if moving and self.chance(0.6) else self.pick([f" facing {side}", f" looking {side}"])
        return text

    def tail(self, event):
        """Things that the world does not know, said of an event."""
        kind = event.extra
        if kind == "prop":
            noun = self.pick(PROPS) if self.chance(0.85) else self.nonsense()
            if self.chance(0.35):
                noun = f"{self.pick(COLOURS)} {noun}"
            return self.pick([" with ", " carrying ", " holding ", " next to ", " with "]) + self.article(noun, True) + self.mark(noun)
        if kind == "weather":
            before, word = self.pick(WEATHER)
            return f" {before}{self.mark(word)}" + (" day" if word.endswith("y") else "")
        return ""

    # --- clauses ---
    def subject_verb(self, event, last, form=None):
        if len(event.actors) == 1:
            return self.again(event, last) + (f" {self.verb(event, 0, form)}" if form else f" {self.finite(event, 0)}" if event.acts else "") + self.stage(event)
        a = self.actor(event, 0)
        b = self.actor(event, 1)
        if event.actions[0] != event.actions[1] or event.positions or event.odd[0] != event.odd[1]:
            joint = self.pick([" while ", " and ", " while "])
            if form == "gerund":
                return f"{a} {self.verb(event, 0, 'gerund')}{self.stage(event, 0)}{joint}{b} {self.verb(event, 1, 'gerund')}{self.stage(event, 1)}"
            return f"{a} {self.finite(event, 0)}{self.stage(event, 0)}{joint}{b} {self.finite(event, 1)}{self.stage(event, 1)}"
        if form == "gerund" or self.tense == "past":
            verb = self.verb(event, 0, form or "past")
        elif self.tense == "gerund":
            verb = ("are " if self.chance(0.8) else "is ") + self.verb(event, 0, "gerund")
        else:
            verb = self.verb(event, 0, "base")
            if self.chance(0.25):
                return f"{a} {self.verb(event, 0, 'third')} with {b}"
        if not event.acts:
            return f"{a} and {b}"
        return f"{a} and {b} {verb}" + (" together" if self.chance(0.1) else "")

    def clause(self, event, last, form=None):
        """A clause with its setting, without a full stop."""
        where = self.setting(event)
        core = self.subject_verb(event, last, form)
        extra = self.tail(event)
        if not event.acts and not form and where and not self.terse and self.chance(0.4):
            core += self.pick([" is", " stands"]) if len(event.actors) == 1 else " are"
        if where and self.chance(0.25) and form is None:
            cut = int(self.rng.integers(1, len(where) + 1))
            head, where = where[:cut], where[cut:]
            return " ".join(head) + self.pick([", ", " "]) + core + extra + "".join(f" {w}" for w in where)
        joint = ", " if self.terse and self.chance(0.5) else " "
        order = [extra, "".join(joint + w for w in where)]
        return core + "".join(order if self.chance(0.5) else order[::-1])

    def says(self, event, subject):
        """A sentence in which `subject` says the event's line, ending in its own stop."""
        third = self.pick(SAY)
        voice = ""
        if event.voice:
            voice = " " + self.pick(VOICES[event.voice])
            self.voices[event.speaker] = event.voice
        verb = third[3] if self.tense == "past" else third[1]
        form = self.rng.random()
        if form < 0.3:
            return f"{subject} {verb}{voice}: {self.speech(self.chance(0.35))}"
        if form < 0.65:
            return f"{subject} {verb}{voice}{self.pick([' ', ', ', ': '])}{self.speech(True)}"
        if form < 0.8 and third[0] == "say":
            return f"{subject} {verb} {self.speech(False)}" if not voice else f"{subject} {verb} {self.speech(True)}{voice}."
        if form < 0.92:
            return f"{self.speech(True)} {verb} {subject}{voice}."
        return f"{subject} {verb} {self.speech(True)}{voice}."

    def attached(self, event):
        """The line as a part of the sentence of the action."""
        verb = self.pick(SAY)
        voice = ""
        if event.voice:
            voice = " " + self.pick(VOICES[event.voice])
            self.voices[event.speaker] = event.voice
        if self.chance(0.4):
            return f"{self.pick([', ', ' and is ', ' '])}{verb[2]}{voice}{self.pick([' ', ': ', ', '])}{self.speech(True)}"
        if self.chance(0.3):
            return f", saying{voice} {self.speech(False)}"
        if self.chance(0.1):
            return f" with the words {self.speech(True)}"
        return f" and {verb[3] if self.tense == 'past' else verb[1]}{voice}{self.pick([' ', ': ', ', '])}{self.speech(self.chance(0.7))}"

    def sentence(self, text):
        """Capital at the start, one stop at the end."""
        text = text.strip()
        first = next((i for i, c in enumerate(text) if c not in UNKNOWN + LINE), 0)
        text = text[:first] + text[first].upper() + text[first + 1:] if text[first] not in '"“\'' else text
        return text if re.search(r"[.!?][\"'”\ue003]*$", text) and not text.endswith(UNKNOWN[1]) else text + "."

    def event(self, event, last, opener):
        """The sentences of an event."""
        parts = []
        head = opener
        if event.acts or event.says_place or event.says_time or event.positions or event.facings or event.extra or event.line is None or len(event.actors) > 1:
            form = "gerund" if (opener in OPENERS or opener.endswith("of ")) and event.acts else None
            text = self.clause(event, last, form)
            if event.line and len(event.actors) == 1 and self.chance(0.35):
                parts.append(self.sentence(head + text + self.attached(event)))
                return parts
            parts.append(self.sentence(head + text))
            last, head = event.actors, ""
        if event.line:
            if len(event.actors) == 1:
                subject = self.again(event, last) if event.actors[0] in self.known else self.actor(event)
            else:
                subject = self.actor(event, event.actors.index(event.speaker))
            parts.append(self.sentence(head + self.says(event, subject)))
        return parts

    def chain(self, events):
        """"A fox runs, jumps and spins."""
        verbs = []
        for event in events:
            verbs.append(self.finite(event, 0) if not verbs or self.tense != "gerund" else self.verb(event, 0, "gerund"))
        joint = self.pick([" and ", " and then ", ", then ", ", and "])
        where = "".join(f" {w}" for w in self.setting(events[0]))
        text = self.actor(events[0]) + (where if self.chance(0.3) else "")
        if where not in text or not where:
            return [self.sentence(text + " " + ", ".join(verbs[:-1]) + joint + verbs[-1] + where)]
        return [self.sentence(text + " " + ", ".join(verbs[:-1]) + joint + verbs[-1])]


def draw(rng):
    """A story's events with what the prompt says of them."""
    w = Writer(rng)
    pick, chance = w.pick, w.chance
    count = pick([1] * 12 + [2] * 5 + [3] * 4 + [4, 4, 5, 6])
    place, time = pick(list(PLACES)), pick(["day", "night"])
    missing_place, missing_time = chance(0.15), chance(0.35)
    if missing_place:
        place = "forest"
    if missing_time:
        time = "day"
    same = chance(0.25)  # one actor does it all
    events, used = [], []
    w.terse = False
    for i in range(count):
        if i and chance(0.25 if not same else 0.1):
            others = [p for p in PLACES if p != place and p not in used]
            place, says_place = (pick(others), True) if others else (place, False)
            if says_place and chance(0.3):
                time, says_time = pick(["day", "night"]), True
            else:
                says_time = False
        else:
            says_place, says_time = (not missing_place, not missing_time) if i == 0 else (False, False)
        used.append(place)
        pair = not same and chance(0.25)
        if events and (same or chance(0.35)) and not pair:
            actors = events[-1].actors[:1]
        else:
            actors = [list(ACTORS)[j] for j in rng.permutation(len(ACTORS))[:2 if pair else 1]]
        event = Event(actors, [], place, time)
        event.acts = not chance(0.12)
        shared = chance(0.6)
        event.odd, event.verbs = [], []
        for j in range(len(actors)):
            if j and (shared or not event.acts):
                event.actions.append(event.actions[0]), event.verbs.append(event.verbs[0]), event.odd.append(event.odd[0])
                continue
            odd = event.acts and chance(0.08)
            action = pick(list(VERBS)) if event.acts and not odd else "stands"
            event.actions.append(action), event.odd.append(odd)
            event.verbs.append(pick(UNKNOWN_VERBS) if odd else pick(VERBS[action]))
        event.says_place, event.says_time = says_place, says_time
        event.strange = event.strange_place = event.strange_time = event.extra = event.voice = event.line = None
        if len(actors) == 1 and chance(0.15):
            event.positions = [pick(["left", "center", "right"])]
        elif len(actors) == 2 and chance(0.12):
            event.positions = pick([["left", "right"], ["right", "left"]])
        if len(actors) == 1 and chance(0.15):
            event.facings = [pick(["left", "right"])]
        if chance(0.06):
            event.extra = pick(["prop", "prop", "weather"])
        if chance(0.45 if count < 3 else 0.25):
            event.speaker = pick(actors)
            event.line = True
            if chance(0.2):
                event.voice = pick(list(VOICES))
        events.append(event)
    # What the world does not know: an actor (the fox stands in) or the first place (the forest).
    if chance(0.13):
        noun = pick(UNKNOWN_ACTORS) if chance(0.8) else w.nonsense()
        event = pick(events)
        target = pick(event.actors)
        for e in events:
            if "fox" not in e.actors or target == "fox":
                e.strange = [noun if a == target else None for a in e.actors] if target in e.actors else None
                e.actors = ["fox" if a == target else a for a in e.actors]
                if e.speaker == target:
                    e.speaker = "fox"
    if chance(0.1) and events[0].says_place and all(e.place == events[0].place for e in events):
        events[0].strange_place = pick(UNKNOWN_PLACES) if chance(0.85) else w.nonsense()
        for e in events:
            e.place = "forest"
    if chance(0.04) and events[0].says_time and all(e.time == events[0].time for e in events):
        events[0].strange_time = pick(UNKNOWN_TIMES)
        for e in events:
            e.time = "day"
    return w, events


def word_events(w, events, story):
    """The sentences of the whole prompt."""
    pick, chance = w.pick, w.chance
    parts, last = [], None
    single = all(e.place == events[0].place and e.time == events[0].time for e in events)
    first = events[0]
    apart = single and (first.says_place or first.says_time) and not first.strange_time and chance(0.15)
    behind = None
    if apart:  # place or time in a sentence of its own
        if first.says_time and chance(0.6):
            parts.append(pick(TIME_SENTENCES[first.time]))
            first.says_time = False
        else:
            phrase = " ".join(w.setting(first))
            noun = re.sub(r"^\S+ ", "", phrase) if first.says_place and not first.says_time else phrase
            behind = pick([f"It all happens {phrase}.", f"All this happens {phrase}.", f"The scene is {phrase}.", f"We are {phrase}.", f"They are {phrase}."])
            if first.says_place and not first.says_time and chance(0.4):
                behind = f"The place is {noun}."
            first.says_place = first.says_time = False
            if chance(0.6):
                parts.append(behind)
                behind = None
        if parts and chance(0.4):
            behind, parts = parts[0], []
    opener = ""
    if story.size and chance(0.6):
        opener = pick(FRONT[story.size])
        front = True
    else:
        front = False
        opener = pick(OPENERS) if chance(0.25) else pick(STORY_OPENERS) if chance(0.06) else ""
    chain = len(events) > 1 and all(e.actors == first.actors and len(e.actors) == 1 and e.acts and not (e.line or e.extra or e.positions or e.facings)
                                    and not (e.says_place or e.says_time) for e in events[1:]) and not (first.line or first.extra or first.positions or first.facings)
    if chain and chance(0.6):
        body = w.chain(events)
        parts += body
    else:
        for i, event in enumerate(events):
            lead = opener if i == 0 else pick(CONNECTIVES)
            if event.line and not event.acts and i and chance(0.6):
                lead = ""
            parts += w.event(event, last, lead)
            last = event.actors
    if behind:
        parts.append(behind)
    extra = []
    if story.size and not front:
        extra.append(pick({"wide": ["Wide shot.", "Make it a wide shot.", "Seen from far away."], "medium": ["Close-up.", "Close up.", "Medium shot.", "Seen from close by."]}[story.size]))
    if story.move:
        extra.append(pick({"push_in": ["The camera moves in.", "Slow zoom in.", "The camera pushes in.", "Zoom in.", "Push in slowly."], "static": ["The camera stays still.", "Static camera.", "The camera does not move."]}[story.move]))
    if story.shots:
        number = pick([str(story.shots), NUMBERS[story.shots - 1]])
        shots = "shot" if story.shots == 1 else "shots"
        extra.append(pick([f"In {number} {shots}.", f"Make it {number} {shots}.", f"{number} {shots}.".capitalize(), f"Use {number} {shots}."]))
    if chance(0.03):
        before, word = pick(STYLES)
        extra.append(w.sentence(before + w.mark(word)))
    return " ".join(parts + extra)


def terse(w, event):
    """A few words: "fox forest night"."""
    noun = w.pick(ACTORS[event.actors[0]]["words"])
    if event.strange:
        noun = w.mark(event.strange[0])
    parts = [noun]
    if event.acts:
        parts.append(w.verb(event, 0, w.pick(["third", "gerund", "base"])))
    if event.says_place:
        parts.append(w.pick([w.place(event), w.mark(event.strange_place) if event.strange_place else w.pick(PLACE_WORDS[event.place][0])]))
    if event.says_time:
        parts.append(w.pick([event.time, w.time(event)]) if not event.strange_time else w.mark(event.strange_time[1]))
    if w.chance(0.3):
        parts = [parts[0]] + [parts[i + 1] for i in w.rng.permutation(len(parts) - 1)]
    joint = w.pick([" ", ", ", " "])
    text = joint.join(parts)
    if event.line:
        text += w.pick([", ", " ", ". "]) + w.pick(["says ", "says: ", "", "saying "]) + w.speech(True)
    return text


def slip(rng, text):
    """One typing slip in a word of four letters or more, outside the marks."""
    words = [m for m in re.finditer(r"[A-Za-z]{4,}", text)]
    if not words:
        return text
    m = words[int(rng.integers(len(words)))]
    word, i = m.group(), int(rng.integers(1, len(m.group()) - 1))
    kind = int(rng.integers(4))
    changed = [word[:i] + word[i + 1] + word[i] + word[i + 2:], word[:i] + word[i + 1:], word[:i] + word[i] + word[i:], word[:i] + chr(97 + int(rng.integers(26))) + word[i + 1:]][kind]
    return text[:m.start()] + changed + text[m.end():]


def read_marks(text):
    """(prompt, unsupported spans, lines) of a marked text."""
    unsupported = re.findall(f"{UNKNOWN[0]}(.*?){UNKNOWN[1]}", text)
    lines = re.findall(f"{LINE[0]}(.*?){LINE[1]}", text)
    return re.sub(f"[{UNKNOWN}{LINE}]", "", text), unsupported, lines


def sample(rng):
    """(prompt, Story) with every copied text a legal span of the prompt."""
    while True:
        w, events = draw(rng)
        story = Story(events)
        if w.chance(0.08):
            story.shots = int(rng.integers(1, 7))
        if w.chance(0.08):
            story.size = w.pick(["wide", "medium"])
        if w.chance(0.06):
            story.move = w.pick(["static", "push_in"])
        first = events[0]
        plain = len(events) == 1 and len(first.actors) == 1 and not (first.positions or first.facings or first.extra or first.voice)
        if plain and w.chance(0.25):
            w.terse = True
            text = terse(w, first)
            story.shots = story.size = story.move = None
        elif len(events) == 1 and not events[0].line and not (first.strange or first.extra or first.positions or first.facings) and first.actors == ["fox"] and not first.acts and w.chance(0.5):
            text = w.sentence(", ".join(w.setting(first)) or "A film")  # nobody is named
            story.shots = story.size = story.move = None
        else:
            text = word_events(w, events, story)
        prompt = finish(w, text, story)
        if prompt:
            return prompt, story


def finish(w, text, story):
    """Case, slips and stops; reads the spans back into the story. None if a span is not legal."""
    kind = w.rng.random()
    if kind < 0.2:
        text = text.lower()
    elif kind < 0.24:
        text = text.upper()
    if w.chance(0.15) and text.endswith("."):
        text = text[:-1]
    if w.chance(0.08):
        text = slip(w.rng, text)
    if w.chance(0.05):
        text = text.replace(".", " .") if w.chance(0.2) else re.sub(r"[.,](?= )", "", text) if not any(e.line for e in story.events) else text
    prompt, unsupported, lines = read_marks(text)
    data = prompt.encode()
    speaking = [e for e in story.events if e.line]
    if len(lines) != len(speaking) or len(data) > 400:
        return None
    for event, line in zip(speaking, lines):
        event.line = pieces(line, LINE_BYTES)
        short = {data[s:e] for s, e in legal_spans(data, LINE_BYTES)}
        if not event.line or any(piece.encode() not in short for piece in event.line):
            return None
    for event in story.events:
        event.line = event.line or []
    spans = {data[s:e] for s, e in legal_spans(data, SPAN_BYTES)}
    seen = {}
    for span in unsupported:
        seen.setdefault(span.lower(), span)
    if len(seen) > MAX_UNSUPPORTED or any(s.encode() not in spans for s in seen.values()):
        return None
    story.unsupported = list(seen.values())
    story.voices = {a: v for a, v in w.voices.items() if any(a in e.actors for e in story.events)}
    return prompt
