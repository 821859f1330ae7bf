"""Wordings of stories: `sample` draws a meaning and a prompt that a person might type for it.

Text that the plan copies (lines, and what the world lacks) is enclosed in private-use marks while the prompt is built, and read back from the finished text,
so that changes of case and typing slips are copied too.
"""

import copy
import re

from prompts import grammar
from prompts.common_words import WORDS
from prompts.grammar import ACTORS, LINE_BYTES, MAX_PROPS, MAX_UNSUPPORTED, MOODS, MOVING, PLACES, SIZES, SPAN_BYTES, WEATHERS, WORLD, Event, Story
from prompts.grammar_spans import legal_spans, pieces
from prompts.grammar_words import (
    ACTOR_WORDS,
    ADJECTIVES,
    ADVERBS,
    ALONE,
    COLOURS,
    CONNECTIVES,
    DAY_NOUNS,
    MOODS as MOOD_WORDS,
    OBJECTS,
    OPENERS,
    PLACES as PLACE_WORDS,
    PROP_WORDS,
    PROPS,
    SAY,
    SENTENCES,
    SLOTS,
    SPEECHES,
    STORY_OPENERS,
    STYLES,
    TIME_SENTENCES,
    TIMES,
    TOGETHER,
    UNKNOWN_ACTORS,
    UNKNOWN_PLACES,
    UNKNOWN_TIMES,
    UNKNOWN_VERBS,
    VERBS,
    VOICES,
    WEATHER,
    WEATHERS as WEATHER_WORDS,
    WHOLE_PLACES,
)

UNKNOWN, LINE = "\ue000\ue001", "\ue002\ue003"  # marks around a copied span
CLOSE = "close" if "close" in SIZES else "medium"
FRONT = {"wide": ["Wide shot: ", "Wide shot of ", "A wide view of ", "Long shot: "], "medium": ["Medium shot of ", "Medium shot: ", "A medium view of "]}
FRONT.setdefault(CLOSE, []).extend(["Close-up of ", "Close up: ", "Close-up: ", "A close view of "])
BEHIND = {"wide": ["Wide shot.", "Make it a wide shot.", "Seen from far away.", "Wide shots only."],
          "medium": ["Medium shot.", "Make it a medium shot.", "Medium shots."]}
BEHIND.setdefault(CLOSE, []).extend(["Close-up.", "Close up.", "Seen from close by.", "Make it a close-up.", "In close-up."])
MOVES = {"push_in": ["The camera moves in.", "Slow zoom in.", "The camera pushes in.", "Zoom in.", "Push in slowly."],
         "static": ["The camera stays still.", "Static camera.", "The camera does not move.", "Still camera."],
         "pull_out": ["The camera pulls out.", "Zoom out.", "Slow zoom out.", "Pull back slowly.", "The camera moves back.", "The camera zooms out."],
         "pan": ["The camera pans.", "Pan across the scene.", "Slow pan.", "The camera pans slowly.", "Pan from left to right."],
         "track": ["The camera follows.", "Tracking shot.", "The camera follows the action.", "The camera tracks along.", "Follow shot."]}
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
PLURALS = {"fox": "foxes", "puppy": "puppies", "bunny": "bunnies", "kitty": "kitties", "doggy": "doggies", "piggy": "piggies", "vixen": "vixens"}
INDOORS = {"room"}


def plural(noun):
    """The plural of a noun."""
    return PLURALS.get(noun, noun + "s")


class Writer:
    """Builds the wording of one prompt. `way` is how the next mood is expressed: adjective, adverb, clause, after, any or ""."""

    def __init__(self, rng):
        self.rng = rng
        self.known = []  # actors mentioned so far, in order
        self.strange = None  # the noun used for an unknown actor
        self.pronoun = self.pick(["it"] * 4 + ["he", "she"])
        self.voices, self.asked = {}, {}  # implied by he and she; requested
        self.terse = False
        self.tense = self.pick(["third"] * 6 + ["gerund", "gerund", "past"])

    def pick(self, items):
        """A random item."""
        return items[int(self.rng.integers(len(items)))]

    def chance(self, p):
        """True with probability p."""
        return self.rng.random() < p

    def nonsense(self):
        """A made-up noun."""
        syllables = [self.pick("b d f g k l m n p r s t v w z bl dr gr kl sn tr sh ch qu zw".split()) + self.pick("a e i o u oo ee ai".split())
                     + self.pick(["", "", "n", "r", "x", "lk", "mp", "st"])
                     for _ in range(int(self.rng.integers(1, 4)))]
        return "".join(syllables)

    # --- copied text ---
    def mark(self, text, marks=UNKNOWN):
        """Encloses text that the plan copies."""
        return marks[0] + text + marks[1]

    def words_of_line(self):
        """Random words for a spoken line."""
        kind = self.rng.random()
        if kind < 0.2:
            text = self.pick(SPEECHES)
        elif kind < 0.52:
            text = self.everyday()
        elif kind < 0.8:
            text = " ".join(self.pick(WORDS) for _ in range(int(self.rng.integers(1, 9))))
        elif kind < 0.92:
            text = " ".join(self.letters() if self.chance(0.5) else self.pick(WORDS) for _ in range(int(self.rng.integers(1, 6))))
        else:
            noun = self.pick([self.pick(PLACE_WORDS[p][0]) for p in PLACES] + list(ACTORS) + [v[0] for a in VERBS for v in VERBS[a]])
            text = self.pick(["I love the {}", "where is the {}", "let us go to the {}", "{}", "the {} is here", "do you see the {}", "my {}", "a {} at night",
                              "I am not a {}"]).format(noun)
        if self.chance(0.06):
            text += self.pick([" ", ", "]) + " ".join(self.pick(WORDS) for _ in range(int(self.rng.integers(4, 10))))
        return text

    def everyday(self):
        """An everyday sentence with words, names, digits, times and amounts of money."""
        return re.sub(r"\{(\w+)\}", lambda m: self.slot(m[1]), self.pick(SENTENCES))

    def slot(self, name):
        """A random filler for a slot of SENTENCES."""
        if name in SLOTS:
            return self.pick(SLOTS[name])
        if name == "n":
            return self.pick([str(int(self.rng.integers(100))), str(int(self.rng.integers(13))), self.pick(NUMBERS), str(int(self.rng.integers(1000)))])
        if name == "clock":
            hour, minute = int(self.rng.integers(1, 13)), int(self.rng.integers(60))
            return self.pick([f"{hour}:{minute:02}", f"{hour} o'clock", f"half past {self.pick(NUMBERS)}", f"{hour}:{5 * (minute // 5):02}", f"{hour} pm"])
        if name == "money":
            amount = int(self.rng.integers(1, 200))
            return self.pick([f"${amount}", f"${amount}", f"{amount} dollars", f"£{amount}", f"€{amount}", f"{self.pick(NUMBERS)} cents"])
        if name == "year":
            return str(int(self.rng.integers(1200, 2100)))
        return self.letters()

    def letters(self):
        """A random word of one to eight letters."""
        return "".join(self.pick("abcdefghijklmnopqrstuvwxyz0123456789") if self.chance(0.05) else self.pick("etaoinshrdlucmfwypvbgkjqxz")
                       for _ in range(int(self.rng.integers(1, 9))))

    def speech(self, quoted):
        """A line's text, marked, with its closing quote or full stop."""
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
        quotes = self.pick(['""'] * 5 + ([] if "'" in text else ["''"]) + ["“”"])
        stop = "" if text[-1] in "!?" else self.pick(["", "", ".", ","])
        return quotes[0] + body + stop + quotes[1]

    # --- noun phrases ---
    def article(self, noun, first):
        """The article of a noun and a space: "the " for a later mention and sometimes for the first, else "a " or "an "."""
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
        noun = noun or self.pick(ACTOR_WORDS[actor][:1] * 4 + ACTOR_WORDS[actor])
        if event.count and i == 0:
            event.count = plural(noun) if first else event.count
            return self.mark(f"{self.pick(NUMBERS[1:5] + ['2', '3'])} {plural(noun)}")
        if first and self.chance(0.15):
            noun = f"{self.pick(ADJECTIVES)} {noun}"
        elif first and self.chance(0.03):
            noun = f"{self.mark(self.pick(COLOURS))} {noun}"
        if self.has_untold_mood(event, i) and self.way in ("adjective", "any"):
            noun = f"{self.mood_adjective(event, i)} {noun}"
        if self.terse and self.chance(0.6):
            return noun
        return self.article(noun, first) + noun

    # --- moods, props, weather: each is mentioned once ---
    def has_untold_mood(self, event, i):
        """Whether the i-th actor's mood still has to be mentioned."""
        return bool(event.says_mood and event.says_mood[i])

    def mood_adjective(self, event, i, after_is=False):
        """An adjective for the i-th actor's mood, which then counts as mentioned."""
        before, after, _ = MOOD_WORDS[event.moods[i]]
        event.says_mood[i] = False
        return self.pick(before + after * 2 if after_is else before)

    def mood_clause(self, event, i, subject):
        """A clause for the i-th actor's mood, such as "the fox is sad"."""
        verb = self.pick(["was", "looked", "felt", "became"] if self.tense == "past" else ["is", "is", "is", "looks", "feels", "becomes", "gets", "seems"])
        return f"{subject} {verb} {self.mood_adjective(event, i, after_is=True)}"

    def prop(self, prop):
        """A prop as a noun phrase."""
        noun = self.pick(PROP_WORDS[prop])
        if self.chance(0.06):
            noun = f"{self.mark(self.pick(COLOURS))} {noun}"
        elif self.chance(0.05):
            noun = f"{self.pick(['big', 'little', 'small', 'beautiful', 'nice', 'old'])} {noun}"
        if self.chance(0.03):
            return self.mark(f"{self.pick(NUMBERS[1:5])} {plural(noun.strip(UNKNOWN))}") if UNKNOWN[0] not in noun else self.article(noun, True) + noun
        return self.article(noun, True) + noun

    def props(self, event):
        """The props that the event introduces, as noun phrases."""
        phrases, event.new_props = [self.prop(p) for p in event.new_props], []
        return phrases

    def prop_tail(self, event):
        """The props that the event introduces as an addition to a clause, such as " with a balloon next to a tree"; "" if there are none or a sentence is to
        follow."""
        if not event.new_props or self.chance(0.3):
            return ""
        phrases = self.props(event)
        before = [" with ", " with ", " next to ", " beside ", " near ", " by ", " carrying ", " holding "] + [" and "] * (not event.acts)
        if len(phrases) == 2 and self.chance(0.5):
            return self.pick(before[:2] + before[6:8]) + phrases[0] + self.pick([" and ", " next to ", " near "]) + phrases[1]
        return self.pick(before if len(event.actors) == 1 or not event.acts else before[2:6]) + " and ".join(phrases)

    def prop_sentence(self, event):
        """A sentence for the props that the event introduces, such as "There is a cake and a tree"."""
        phrases = " and ".join(self.props(event))
        was = "was" if self.tense == "past" else "is"
        return self.sentence(self.pick([f"there {was} {phrases}", f"there {was} {phrases}",
                                        f"{phrases} {was} there" if " and " not in phrases else f"there are {phrases}",
                                        f"we {'saw' if was == 'was' else 'see'} {phrases}",
                                        f"next to {'them' if len(event.actors) > 1 else 'it'} {was} {phrases}", f"there's {phrases}"]))

    def weather(self, event):
        """A phrase for the event's weather; it may mention the time too."""
        while True:
            before, word, after = self.pick(WEATHER_WORDS[event.said_weather][0])
            if "DAY" not in after or event.says_time or event.time == "day":
                break
        if "DAY" in after:
            if event.strange_time:
                return ""
            after = after.replace("DAY", self.pick(DAY_NOUNS[event.time]))
            event.says_time = False
        event.says_weather = False
        return before + (word if event.said_weather == event.weather else self.mark(word)) + after

    def weather_sentence(self, event):
        """A sentence for the event's weather."""
        while True:
            before, word, after = self.pick(WEATHER_WORDS[event.said_weather][1]).split("|")
            if "day" not in after or (event.time == "day" and not event.strange_time):
                break
        event.says_weather = False
        if self.tense == "past":
            before = before.replace("is ", "was ").replace("It's ", "It was ")
        return before + (word if event.said_weather == event.weather else self.mark(word)) + after

    def refer_back(self, event, last):
        """A later mention of the first actor; a pronoun only if it is unambiguous."""
        if (last == event.actors and len(last) == 1 and not event.count and self.chance(0.6)
                and not (self.has_untold_mood(event, 0) and self.way == "adjective")):
            pronoun = {"girl": "she", "boy": "he"}.get(event.actors[0], self.pronoun) if not (event.strange and event.strange[0]) else self.pronoun
            if pronoun != "it":
                self.voices[event.actors[0]] = {"he": "rms", "she": "slt"}[pronoun]
            return pronoun
        return self.actor(event)

    def verb(self, event, i, form):
        """The i-th actor's verb in a form: base, third, gerund or past."""
        words = event.verbs[i]
        index = {"base": 0, "third": 1, "gerund": 2, "past": 3}[form]
        text = words[index]
        if event.odd[i]:
            thing = self.pick(OBJECTS.get(words[0], [""])) if self.chance(0.6) else ""
            text = self.mark(f"{text} {thing}".strip())
        if self.has_untold_mood(event, i) and self.way == "adverb" and not event.together:
            text += " " + self.pick(MOOD_WORDS[event.moods[i]][2])
            event.says_mood[i] = False
        elif self.chance(0.1) and not event.together:
            text += " " + self.pick(ADVERBS)
        return text

    def finite(self, event, i):
        """The i-th actor's verb in the tense of the prompt: "runs", "is running" or "ran"."""
        plain = event.count and i == 0
        if self.tense == "gerund":
            return ("are " if plain else "is ") + self.verb(event, i, "gerund")
        return self.verb(event, i, "base" if plain and self.tense == "third" else self.tense)

    # --- where and when ---
    def place(self, event):
        """A phrase for the event's place."""
        if event.strange_place:
            noun = event.strange_place
            return self.pick(["in", "in", "at", "through", "inside", "near", "on", "across"]) + " " + self.article(noun, self.chance(0.5)) + self.mark(noun)
        if event.place in WHOLE_PLACES and self.chance(0.6 if event.place == "underwater" else 0.1):
            return self.pick(WHOLE_PLACES[event.place])
        nouns, prepositions = PLACE_WORDS[event.place]
        noun = self.pick(nouns)
        preposition = self.pick(prepositions)
        if noun.startswith(("bottom", "ocean floor")):
            return f"{'on' if noun.startswith('ocean') else 'at'} the {noun}"
        if event.place == "underwater":
            return f"{preposition} the {noun}"
        article = "the "
        one = event.place in ("forest", "desert", "city", "beach", "meadow", "castle", "room") and not noun.endswith("s") and noun not in ("sand", "sahara")
        if one and self.chance(0.4):
            article = self.article(noun, True)
        if noun in ("snow", "white snow", "snowy mountains", "icy mountains") and self.chance(0.4):
            article = ""
        return f"{preposition} {article}{noun}"

    def time(self, event):
        """A phrase for the event's time."""
        if event.strange_time:
            return event.strange_time[0] + self.mark(event.strange_time[1])
        return self.pick(TIMES[event.time])

    def setting(self, event):
        """Phrases for the place, time and weather that the event mentions."""
        weather = self.weather(event) if event.says_weather and self.chance(0.75) else ""
        parts = ([self.place(event)] if event.says_place else []) + ([self.time(event)] if event.says_time else []) + ([weather] if weather else [])
        return parts[::-1] if len(parts) == 2 and self.chance(0.15) else parts

    def stage(self, event, i=0):
        """Where the i-th actor is and which way it faces, such as " on the left facing right", as far as the event says so."""
        text = ""
        if event.positions:
            text += {"left": self.pick([" on the left", " on the left side"]), "right": self.pick([" on the right", " on the right side"]),
                     "center": self.pick([" in the middle", " in the center"])}[event.positions[i]]
        if event.facings and len(event.actors) == 1:
            side = event.facings[0]
            moving = event.actions[0] in ("walks", "runs", "flies") and not event.odd[0]
            goes = moving and self.chance(0.6)
            text += self.pick([f" to the {side}", f" towards the {side}"] if goes else [f" facing {side}", f" looking {side}"])
        return text

    def unknown_tail(self, event):
        """A phrase for something that the world lacks, marked; "" if the event has none."""
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
        """The core of a clause: subjects, verbs and staging."""
        if len(event.actors) == 1:
            return self.refer_back(event, last) + (f" {self.verb(event, 0, form)}" if form else f" {self.finite(event, 0)}"
                                              if event.acts else "") + self.stage(event)
        a = self.actor(event, 0)
        b = self.actor(event, 1)
        if event.together:
            both = TOGETHER[event.together][1]
            if both and self.chance(0.4) and not (event.positions or event.count):
                verb = self.pick(both)
                if form == "gerund" or self.tense == "past":
                    return f"{a} and {b} {verb[2] if form == 'gerund' else verb[3]}"
                return f"{a} and {b} " + (f"are {verb[2]}" if self.tense == "gerund" else verb[0])
            return f"{a}{self.stage(event, 0)} {self.verb(event, 0, form) if form else self.finite(event, 0)} {b}{self.stage(event, 1)}"
        if event.actions[0] != event.actions[1] or event.positions or event.odd[0] != event.odd[1]:
            joint = self.pick([" while ", " and ", " while "])
            if form == "gerund":
                return f"{a} {self.verb(event, 0, 'gerund')}{self.stage(event, 0)}{joint}{b} {self.verb(event, 1, 'gerund')}{self.stage(event, 1)}"
            return f"{a} {self.finite(event, 0)}{self.stage(event, 0)}{joint}{b} {self.finite(event, 1)}{self.stage(event, 1)}"
        if not event.acts:
            return f"{a} and {b}"
        if form == "gerund" or self.tense == "past":
            verb = self.verb(event, 0, form or "past")
        elif self.tense == "gerund":
            verb = ("are " if self.chance(0.8) else "is ") + self.verb(event, 0, "gerund")
        else:
            verb = self.verb(event, 0, "base")
            if self.chance(0.25) and not event.count:
                return f"{a} {self.verb(event, 0, 'third')} with {b}"
        return f"{a} and {b} {verb}" + (" together" if self.chance(0.1) else "")

    def clause(self, event, last, form=None):
        """A clause with its setting, without a full stop."""
        where = self.setting(event)
        if not event.acts and not form and len(event.actors) == 1 and self.has_untold_mood(event, 0) and self.way != "adjective" and not event.count:
            self.way = ""
            core = self.mood_clause(event, 0, self.refer_back(event, last))
            return core + self.prop_tail(event) + self.unknown_tail(event) + "".join(f" {w}" for w in where)
        core = self.subject_verb(event, last, form)
        extra = self.prop_tail(event) + self.unknown_tail(event)
        if event.acts and not form and len(event.actors) == 1 and self.has_untold_mood(event, 0) and self.way == "clause":
            verb = self.pick(["was", "looked", "felt"] if self.tense == "past" else ["is", "looks", "feels"])
            core += f" and {verb} {self.mood_adjective(event, 0, after_is=True)}"
        if not event.acts and not form and not event.count and where and not self.terse and self.chance(0.4):
            core += self.pick([" is", " stands"]) if len(event.actors) == 1 else " are"
        if where and self.chance(0.25) and form is None:
            cut = int(self.rng.integers(1, len(where) + 1))
            head, where = where[:cut], where[cut:]
            return " ".join(head) + self.pick([", ", " "]) + core + extra + "".join(f" {w}" for w in where)
        joint = ", " if self.terse and self.chance(0.5) else " "
        order = [extra, "".join(joint + w for w in where)]
        return core + "".join(order if self.chance(0.5) else order[::-1])

    def says(self, event, subject):
        """A sentence in which `subject` says the event's line, with its full stop."""
        third = self.pick(SAY)
        voice = ""
        if event.voice and event.speaker not in self.asked:
            voice = " " + self.pick(VOICES[event.voice])
            self.asked[event.speaker] = event.voice
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

    def joined_line(self, event):
        """The line as part of the sentence of the action."""
        verb = self.pick(SAY)
        voice = ""
        if event.voice and event.speaker not in self.asked:
            voice = " " + self.pick(VOICES[event.voice])
            self.asked[event.speaker] = event.voice
        if self.chance(0.4):
            return f"{self.pick([', ', ' and is ', ' '])}{verb[2]}{voice}{self.pick([' ', ': ', ', '])}{self.speech(True)}"
        if self.chance(0.3):
            return f", saying{voice} {self.speech(False)}"
        if self.chance(0.1):
            return f" with the words {self.speech(True)}"
        return f" and {verb[3] if self.tense == 'past' else verb[1]}{voice}{self.pick([' ', ': ', ', '])}{self.speech(self.chance(0.7))}"

    def sentence(self, text):
        """Capitalises the start and ensures one full stop."""
        text = text.strip()
        first = next((i for i, c in enumerate(text) if c not in UNKNOWN + LINE), 0)
        text = text[:first] + text[first].upper() + text[first + 1:] if text[first] not in '"“\'' else text
        return text if re.search(r"[.!?][\"'”\ue003]*$", text) and not text.endswith(UNKNOWN[1]) else text + "."

    def event(self, event, last, opener):
        """The sentences of an event."""
        parts = []
        head = opener
        self.way = self.pick(["adjective"] * 6 + ["adverb", "clause", "after", "after"] if event.acts
                             and not any(event.odd) else ["adjective", "after", "clause"])
        said = (event.acts or event.says_place or event.says_time or event.says_weather or event.positions or event.facings or event.extra
                or len(event.actors) > 1)
        if said or event.line is None or event.new_props or any(event.says_mood):
            form = "gerund" if (opener in OPENERS or opener.endswith("of ")) and event.acts else None
            text = self.clause(event, last, form)
            whole = not (event.says_weather or event.new_props or any(event.says_mood))
            if event.line and len(event.actors) == 1 and whole and not event.count and self.chance(0.35):
                parts.append(self.sentence(head + text + self.joined_line(event)))
                return parts
            parts.append(self.sentence(head + text))
            last, head = event.actors, ""
            for i in range(len(event.actors)):
                if self.has_untold_mood(event, i):
                    alone = len(event.actors) == 1
                    self.way = ""
                    parts.append(self.sentence(self.mood_clause(event, i, self.refer_back(event, last) if alone else self.actor(event, i))))
            rest = []
            if event.new_props:
                rest.append(self.prop_sentence(event))
            if event.says_weather:
                rest.append(self.weather_sentence(event))
            if rest:
                parts += rest
                last = None
        if event.line:
            if len(event.actors) == 1:
                subject = self.refer_back(event, last) if event.actors[0] in self.known else self.actor(event)
            else:
                subject = self.actor(event, event.actors.index(event.speaker))
            parts.append(self.sentence(head + self.says(event, subject)))
        return parts

    def reply(self, event, before):
        """Continues the sentence of the previous line with the event's line: "… and the crab answers: hello"."""
        text = before.rstrip()
        text = text[:-1] if text.endswith(".") and not text.endswith(LINE[1] + ".") else text
        joint = self.pick([" and ", ", and ", " while ", ", but ", "; ", " and then "])
        return self.sentence(text + joint + self.says(event, self.actor(event)))

    def chain(self, events):
        """A sentence, in a list, for several actions of one actor, such as "A fox runs, jumps and spins"."""
        verbs = []
        for event in events:
            verbs.append(self.finite(event, 0) if not verbs or self.tense != "gerund" else self.verb(event, 0, "gerund"))
        joint = self.pick([" and ", " and then ", ", then ", ", and "])
        where = "".join(f" {w}" for w in self.setting(events[0]))
        text = self.actor(events[0]) + (where if self.chance(0.3) else "")
        if where not in text or not where:
            return [self.sentence(text + " " + ", ".join(verbs[:-1]) + joint + verbs[-1] + where)]
        return [self.sentence(text + " " + ", ".join(verbs[:-1]) + joint + verbs[-1])]


def draw(rng, script=False):
    """(Writer, events) of a random story. script: a dialogue for `turns`."""
    w = Writer(rng)
    pick, chance = w.pick, w.chance
    count = pick([2, 2, 3, 4, 4, 5, 6]) if script else pick([1] * 11 + [2] * 6 + [3] * 4 + [4, 4, 5, 6])
    actors_of_all, times, places = list(ACTORS), list(TIMES), list(PLACES)
    place, time = pick(places), pick(times)
    missing_place, missing_time = chance(0.3 if script else 0.12), chance(0.5 if script else 0.3)
    if missing_place:
        place = places[0]
    if missing_time:
        time = "day"
    same = chance(0.25) and not script  # one actor in all events
    company = [actors_of_all[j] for j in rng.permutation(len(actors_of_all))[:2]]
    events, used = [], []
    for i in range(count):
        says_place, says_time = (not missing_place, not missing_time) if i == 0 else (False, False)
        if i and chance(0.0 if script else 0.1 if same else 0.25):
            others = [p for p in places if p != place and p not in used]
            if others:
                place, says_place = pick(others), True
                if chance(0.3):
                    time, says_time = pick(times), True
        reply = i > 0 and not script and not same and not says_place and bool(events[-1].line) and chance(0.25)
        used.append(place)
        pair = not same and not reply and chance(0.3) and not (script and i)
        if script:
            actors = company if pair else [pick(company) if i and chance(0.3) else company[i % 2]]
        elif reply:  # the previous speaker's partner, or somebody new
            actors = [pick([a for a in events[-1].actors if a != events[-1].speaker] * len(ACTORS) + [a for a in actors_of_all if a != events[-1].speaker])]
        elif events and (same or chance(0.35)) and not pair:
            actors = events[-1].actors[:1]
        else:
            actors = [actors_of_all[j] for j in rng.permutation(len(actors_of_all))[:2 if pair else 1]]
        event = Event(list(actors), [], place, time)
        event.acts = not (reply or chance(0.12)) if not script else i == 0 and chance(0.5)
        event.only_mood = False
        event.together = event.count = event.strange = event.strange_place = event.strange_time = event.extra = event.voice = event.line = None
        event.odd, event.verbs = [], []
        event.says_place, event.says_time, event.says_weather, event.said_weather = says_place, says_time, False, None
        if script or reply or chance(0.45 if count < 3 else 0.25):
            event.speaker = pick(actors)
            event.line = True
            if chance(0.25):
                event.voice = pick(list(VOICES) + list(VOICES)[2:] * 2)
            if not script and not event.acts and events and events[-1].line is None and set(actors) & set(events[-1].actors):
                event.acts = True  # else the line would belong to the previous event
        elif i and not event.acts and not (says_place or pair):  # else the event would say nothing about them
            event.only_mood = bool(MOODS) and chance(0.6)
            event.acts = not event.only_mood
        if pair and event.acts and TOGETHER and chance(0.5):
            event.together = pick(list(TOGETHER))
            event.actions = [event.together, {"talks": "stands", "chases": "runs"}[event.together]]
            event.verbs, event.odd = [pick(TOGETHER[event.together][0])] * 2, [False, False]
        shared = chance(0.6)
        for j in range(0 if event.together else len(actors)):
            if j and (shared or not event.acts):
                event.actions.append(event.actions[0]), event.verbs.append(event.verbs[0]), event.odd.append(event.odd[0])
                continue
            odd = event.acts and chance(0.07)
            action = pick(list(VERBS)) if event.acts and not odd else "stands"
            verb = pick(UNKNOWN_VERBS) if odd else pick(VERBS[action])
            if event.acts and not odd and not pair and TOGETHER and chance(0.015):  # with nobody to talk to or chase
                action, verbs = ALONE[pick(list(TOGETHER))]
                verb = pick(verbs)
            event.actions.append(action), event.odd.append(odd), event.verbs.append(verb)
        if len(actors) == 1 and chance(0.15):
            event.positions = [pick(["left", "center", "right"])]
        elif len(actors) == 2 and event.acts and chance(0.12):
            event.positions = pick([["left", "right"], ["right", "left"]])
        if len(actors) == 1 and chance(0.15):
            event.facings = [pick(["left", "right"])]
        if script or reply or event.only_mood:
            event.positions = event.facings = None
        elif chance(0.06) and not (reply or event.only_mood):
            event.extra = pick(["prop", "prop", "weather"])
        events.append(event)
    # What the world lacks: an actor (becomes the fox) or the first place (becomes the forest).
    if chance(0.12) and not script:
        noun = pick(UNKNOWN_ACTORS) if chance(0.8) else w.nonsense()
        target = pick(pick(events).actors)
        if target == "fox" or all("fox" not in e.actors for e in events):
            for e in events:
                if target in e.actors:
                    e.strange = [noun if a == target else None for a in e.actors]
                    e.actors = ["fox" if a == target else a for a in e.actors]
                    e.speaker = "fox" if e.speaker == target else e.speaker
    elif (len(events[0].actors) == 1 and not events[0].line and not events[0].positions and chance(0.1)
          and all(events[0].actors[0] not in e.actors for e in events[1:])):
        events[0].count = True
    if chance(0.09) and events[0].says_place and all(e.place == events[0].place for e in events):
        events[0].strange_place = pick(UNKNOWN_PLACES) if chance(0.85) else w.nonsense()
        for e in events:
            e.place = places[0]
    if chance(0.04) and events[0].says_time and all(e.time == events[0].time for e in events):
        events[0].strange_time = pick(UNKNOWN_TIMES)
        for e in events:
            e.time = "day"
    add_details(w, events, script)
    return w, events


def add_details(w, events, script):
    """Adds weather, moods and props to events: what each mentions, and what persists from earlier ones."""
    pick, chance = w.pick, w.chance
    weather, moods, props, seen = None, {}, [], {}
    single = all(e.place == events[0].place for e in events)
    for i, event in enumerate(events):
        possible = PLACES[event.place].get("weathers", [])
        if event.place not in seen:
            props = []
            if WEATHERS and chance(0.45 if i == 0 else 0.2):
                word = pick(WEATHERS[1:]) if chance(0.92) else WEATHERS[0]
                if word in possible or (single and chance(0.25)):
                    event.says_weather, event.said_weather = True, word
                    weather = word if word in possible else weather
            seen[event.place] = weather if weather in possible else WEATHERS[0] if WEATHERS else None
        event.weather = seen[event.place]
        event.says_mood = [event.only_mood or (bool(MOODS) and chance(0.18 if script else 0.33) and not event.count) for _ in event.actors]
        for j, says in enumerate(event.says_mood):
            if says:
                moods[event.actors[j]] = pick(MOODS + MOODS[1:] * 2)
        event.moods = [moods.get(a, MOODS[0]) for a in event.actors] if MOODS else None
        event.new_props = []
        if PROP_WORDS and chance(0.1 if script else 0.33):
            left = [p for p in PROP_WORDS if p not in props]
            event.new_props = [left[k] for k in w.rng.permutation(len(left))[:1 if chance(0.7) else 2]][:MAX_PROPS - len(props)]
        props = props + event.new_props
        event.props = props


def word_events(w, events, story):
    """The sentences of the whole prompt."""
    pick, chance = w.pick, w.chance
    parts, last = [], None
    single = all(e.place == events[0].place and e.time == events[0].time for e in events)
    first = events[0]
    apart = single and (first.says_place or first.says_time) and not first.strange_time and not first.says_weather and chance(0.15)
    behind = None
    if apart:  # place or time in a separate sentence
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
        opener = pick(OPENERS) if chance(0.25) else pick(STORY_OPENERS) if chance(0.1) else ""
    bare = lambda e: not (e.line or e.extra or e.positions or e.facings or e.says_weather or e.new_props or e.together)
    chain = len(events) > 1 and bare(first) and not first.count and first.acts and all(
        e.actors == first.actors and len(e.actors) == 1 and e.acts and bare(e) and not (e.says_place or e.says_time or any(e.says_mood)) for e in events[1:])
    if chain and chance(0.6):
        w.way = "adjective"
        parts += w.chain(events)
    else:
        for i, event in enumerate(events):
            lead = opener if i == 0 else pick(CONNECTIVES)
            if event.line and not event.acts and i and chance(0.6):
                lead = ""
            if event.only_mood and not lead.strip():
                lead = pick(["Then ", "Suddenly ", "After that, ", "Now ", "Finally, ", "Later, "])
            only_speaks = event.line and not (event.acts or event.says_place or event.says_time or event.positions or event.facings or event.extra
                                              or event.new_props or event.says_weather
                                              or any(event.says_mood)) and len(event.actors) == 1
            w.way = "adjective"
            if i and only_speaks and events[i - 1].line and LINE[0] in parts[-1] and event.actors[0] != events[i - 1].speaker and chance(0.6):
                parts[-1] = w.reply(event, parts[-1])
            else:
                parts += w.event(event, last, lead)
            last = event.actors
    if behind:
        parts.append(behind)
    extra = []
    if story.size and not front:
        extra.append(pick(BEHIND[story.size]))
    if story.move:
        follow = [f"The camera follows the {ACTORS[first.actors[0]]['words'][0]}.", f"Follow the {ACTORS[first.actors[0]]['words'][0]}."]
        extra.append(pick(MOVES[story.move] + (follow * 2 if story.move == "track" and not first.strange and not first.count else [])))
    if chance(0.03):
        extra.append(pick(["Thank you.", "Thanks!", "Please.", "Make it funny.", "Please make it short.", "Make it nice.", "The end."]))
    if chance(0.05):
        extra.append(negation(w, events))
    if story.shots:
        number = pick([str(story.shots), NUMBERS[story.shots - 1]])
        shots = "shot" if story.shots == 1 else "shots"
        extra.append(pick([f"In {number} {shots}.", f"Make it {number} {shots}.", f"{number} {shots}.".capitalize(), f"Use {number} {shots}."]))
    if chance(0.03):
        before, word = pick(STYLES)
        extra.append(w.sentence(before + w.mark(word)))
    return " ".join(parts + extra)


def absent_noun(w, events):
    """A noun for an actor or prop that is not in the story."""
    actors = [a for a in ACTORS if all(a not in e.actors for e in events)]
    props = [p for p in PROP_WORDS if all(p not in e.props for e in events)]
    return w.pick(ACTOR_WORDS[w.pick(actors)]) if not props or w.chance(0.5) else w.pick(PROP_WORDS[w.pick(props)])


def negation(w, events):
    """A sentence about what must not be seen or heard; the plan does not change."""
    noun = absent_noun(w, events)
    some = w.article(noun, True) + noun
    forms = [f"There is no {noun}.", f"Without {some}.", f"No {noun}.", f"Do not show {some}.", f"No {plural(noun)}, please.", f"But without {some}.",
             "No music.", "Nobody else is there.",
             "There are no other animals."]
    if not any(e.line for e in events):
        forms += ["Nobody speaks.", "Nobody says anything.", "Without words.", "No dialogue.", "Silent."]
    if WEATHERS and all(e.weather == WEATHERS[0] and not e.says_weather for e in events):
        forms += ["No rain.", "There is no snowfall.", "It does not rain."]
    return w.pick(forms)


def speaker_label(w, actor):
    """A speaker's name before a turn, such as "Turtle" or "TURTLE"."""
    noun = w.pick(ACTOR_WORDS[actor][:1] * 5 + ACTOR_WORDS[actor])
    return w.pick([noun.capitalize(), noun.capitalize(), noun.upper(), noun, "The " + noun])


def mood_note(w, event, i=0):
    """The i-th actor's mood as a note, such as " (sad)"; "" if there is nothing left to mention."""
    return f" ({w.mood_adjective(event, i, after_is=True)})" if w.has_untold_mood(event, i) else ""


def turns(w, events):
    """The prompt as turns of speech, such as "Turtle: Hello. Robot: Hello yourself.", perhaps after an opening sentence."""
    parts, first = [], events[0]
    gap = w.pick([" ", " ", "\n", "\n\n"])
    if first.acts or len(first.actors) > 1:
        line, first.line = first.line, None
        parts += w.event(first, None, "")
        first.line = line
    elif first.says_place or first.says_time or first.says_weather:
        where = ", ".join(w.setting(first))
        parts += [w.sentence(where)] if where else []
        if first.says_weather:
            parts.append(w.weather_sentence(first))
    quoted = w.chance(0.35)
    for event in events:
        who = event.actors.index(event.speaker)
        mood, voice = mood_note(w, event, who), ""
        if event.voice and event.speaker not in w.asked and not mood and w.chance(0.7):
            voice = f" ({w.pick(VOICES[event.voice])})"
            w.asked[event.speaker] = event.voice
        parts.append(f"{speaker_label(w, event.speaker)}{mood}{voice}: {w.speech(quoted)}")
        for j in range(len(event.actors)):
            if w.has_untold_mood(event, j):
                event.says_mood[j] = False
                parts.append(w.sentence(f"the {ACTOR_WORDS[event.actors[j]][0]} is {w.pick(MOOD_WORDS[event.moods[j]][0])}"))
        if event.new_props:
            parts.append(w.prop_sentence(event))
    return gap.join(parts)


def screenplay(w, events):
    """The prompt as a screenplay: headings, action lines, and speakers' names above their lines."""
    gap = w.pick(["\n", "\n\n", "\n"])
    parts = [w.pick(["FADE IN:", "Screenplay:"])] if w.chance(0.12) else []
    last, asked = None, w.pick([True, False])
    for i, event in enumerate(events):
        w.way = "adjective"
        if i == 0 or event.says_place:
            noun = w.mark(event.strange_place) if event.strange_place else w.pick(PLACE_WORDS[event.place][0])
            if i or event.says_place:
                time = f" - {event.time}" if event.says_time and not event.strange_time else f" - {w.mark(event.strange_time[1])}" if event.says_time else ""
                heading = f"{w.pick(['INT.', 'INT. ']).strip() if event.place in INDOORS else 'EXT.'} {noun}{time}"
                parts.append(heading.upper() if w.chance(0.85) else heading)
                event.says_place = event.says_time = False
        line, event.line = event.line, None
        alone = len(event.actors) == 1 and not (event.acts or event.extra or event.positions or event.facings or event.new_props or event.says_weather)
        if not (alone and line):
            parts.append(" ".join(w.event(event, last, "")))
        event.line = line
        if line:
            who = event.actors.index(event.speaker)
            strange = event.strange and event.strange[who]
            name = strange.upper() if strange else w.pick(ACTOR_WORDS[event.speaker][:1] * 4 + ACTOR_WORDS[event.speaker]).upper()
            if event.strange and event.strange[who] and event.strange[who] != w.strange:
                w.strange, name = event.strange[who], w.mark(name)
            if event.speaker not in w.known:
                w.known.append(event.speaker)
            mood = mood_note(w, event, who)
            if asked and event.voice and event.speaker not in w.asked and not mood:
                mood = f" ({w.pick(VOICES[event.voice])})"
                w.asked[event.speaker] = event.voice
            parts.append(f"{name}{w.pick([mood, mood.replace(' (', chr(10) + '(')])}\n{w.speech(False)}")
        last = None
    return gap.join(parts)


def plain_event(rng, fits):
    """(Writer, event) of a story with one silent event that satisfies `fits` and mentions only who does what, where and when."""
    while True:
        w, events = draw(rng)
        event = events[0]
        if len(events) == 1 and event.acts and not (event.line or event.extra or event.positions or event.facings or event.count or event.strange
                                                    or event.together or event.new_props
                                                    or event.says_weather or any(event.odd) or any(event.says_mood)) and fits(event):
            return w, event


def crowd(rng):
    """(Writer, events, text) of three or four actors that do the same; the events show two at a time."""
    w, first = plain_event(rng, lambda e: len(e.actors) == 2 and e.actions[0] == e.actions[1])
    others = [a for a in ACTORS if a not in first.actors]
    more = [others[i] for i in rng.permutation(len(others))[:1 if w.chance(0.75) else 2]]
    second = copy.copy(first)
    second.actors, second.actions, second.moods = more, first.actions[:len(more)], first.moods and first.moods[:1] * len(more)
    where = "".join(f" {p}" for p in w.setting(first))
    names = [w.actor(first, 0), w.actor(first, 1)] + [w.actor(without_moods(second), i) for i in range(len(more))]
    verb = w.verb(first, 0, "past") if w.tense == "past" else "are " + w.verb(first, 0, "gerund") if w.tense == "gerund" else w.verb(first, 0, "base")
    return w, [first, second], w.sentence(f"{', '.join(names[:-1])}{w.pick([' and ', ', and '])}{names[-1]} {verb}{where}")


def without_moods(event):
    """The event, with no mood left to mention."""
    event.says_mood = [False] * len(event.actors)
    return event


def journey(rng):
    """(Writer, events, text) of an actor that goes from one place to another, such as "A fox walks from the forest to the beach"."""
    w, first = plain_event(rng, lambda e: len(e.actors) == 1 and e.says_place and not e.strange_place and e.actions[0] in MOVING)
    second = copy.copy(first)
    second.place = w.pick([p for p in PLACES if p != first.place])
    nouns = [w.pick([n for n in PLACE_WORDS[p][0] if not n.startswith("white")]) for p in (first.place, second.place)]
    first.says_place = False
    where = " ".join(w.setting(first))
    text = f"{w.actor(first)} {w.finite(first, 0)} from the {nouns[0]} {w.pick(['to', 'to', 'into'])} the {nouns[1]}"
    return w, [first, second], w.sentence(f"{where}, {text}" if where and w.chance(0.4) else f"{text} {where}")


def terse(w, event):
    """A prompt of a few words, such as "fox forest night"."""
    noun = w.pick(ACTOR_WORDS[event.actors[0]])
    if event.strange:
        noun = w.mark(event.strange[0])
    if w.has_untold_mood(event, 0):
        noun = f"{w.mood_adjective(event, 0)} {noun}"
    parts = [noun]
    w.way = ""
    if event.acts:
        parts.append(w.verb(event, 0, w.pick(["third", "gerund", "base"])))
    if event.says_place:
        parts.append(w.pick([w.place(event), w.mark(event.strange_place) if event.strange_place else w.pick(PLACE_WORDS[event.place][0])]))
    if event.says_time:
        parts.append(w.pick([event.time, w.time(event)]) if not event.strange_time else w.mark(event.strange_time[1]))
    if event.says_weather:
        word = w.pick({"rain": ["rain", "raining", "rainy"], "snow": ["snowfall", "snowing", "falling snow"], "clear": ["clear sky"]}[event.said_weather])
        parts.append(word if event.said_weather == event.weather else w.mark(word))
        event.says_weather = False
    nouns, event.new_props = event.new_props, []
    if nouns and w.chance(0.5):
        parts.append("with " + " and ".join(w.pick(PROP_WORDS[p]) for p in nouns))
    else:
        parts += [w.pick(PROP_WORDS[p]) for p in nouns]
    if w.chance(0.3) and len(nouns) < 2:
        parts = [parts[0]] + [parts[i + 1] for i in w.rng.permutation(len(parts) - 1)]
    joint = w.pick([" ", ", ", " "])
    text = joint.join(parts)
    if event.line:
        text += w.pick([", ", " ", ". "]) + w.pick(["says ", "says: ", "", "saying "]) + w.speech(True)
    return text


def slip(rng, text):
    """Adds one typing slip to a word of four letters or more, outside the marks."""
    words = list(re.finditer(r"[A-Za-z]{4,}", text))
    if not words:
        return text
    m = words[int(rng.integers(len(words)))]
    word, i = m.group(), int(rng.integers(1, len(m.group()) - 1))
    kind = int(rng.integers(4))
    changed = [word[:i] + word[i + 1] + word[i] + word[i + 2:], word[:i] + word[i + 1:], word[:i] + word[i] + word[i:],
               word[:i] + chr(97 + int(rng.integers(26))) + word[i + 1:]][kind]
    return text[:m.start()] + changed + text[m.end():]


def read_marks(text):
    """(prompt, unsupported spans, lines) of a marked text."""
    unsupported = re.findall(f"{UNKNOWN[0]}(.*?){UNKNOWN[1]}", text)
    lines = re.findall(f"{LINE[0]}(.*?){LINE[1]}", text)
    return re.sub(f"[{UNKNOWN}{LINE}]", "", text), unsupported, lines


def sample_plan(rng):
    """(prompt, plan) drawn from a numpy Generator."""
    prompt, story = sample(rng)
    return prompt, grammar.oracle(story)


def sample(rng):
    """(prompt, Story) in which every copied text is a legal span of the prompt."""
    while True:
        kind = rng.random()
        script, special = kind < 0.1, None
        if kind > 0.965:
            w, events, special = (crowd if kind > 0.98 else journey)(rng)
        else:
            w, events = draw(rng, script)
        story = Story(events)
        if w.chance(0.08):
            story.shots = int(rng.integers(1, 7))
        if w.chance(0.12):
            story.size = w.pick(SIZES)
        if w.chance(0.15):
            story.move = w.pick(WORLD["camera_moves"] + WORLD["camera_moves"][2:])
        first = events[0]
        plain = len(events) == 1 and len(first.actors) == 1 and not (first.positions or first.facings or first.extra or first.voice or first.count)
        bare = not (events[0].line or first.strange or first.extra or first.positions or first.facings or first.count or any(first.says_mood))
        if special:
            text = " ".join([special] + ([w.pick(BEHIND[story.size])] if story.size else []) + ([w.pick(MOVES[story.move])] if story.move else []))
            story.shots = None
        elif script or (kind < 0.16 and not any(e.count for e in events)):
            story.shots = story.size = story.move = None
            text = turns(w, events) if script else screenplay(w, events)
        elif plain and w.chance(0.25):
            w.terse = True
            text = terse(w, first)
            story.shots = story.size = story.move = None
        elif len(events) == 1 and bare and first.actors == ["fox"] and not first.acts and w.chance(0.7):
            props = " and ".join(w.props(first))
            where = ", ".join(w.setting(first))
            text = w.sentence(f"{props} {where}".strip() or "A film")  # names nobody
            if first.says_weather:
                text += " " + w.weather_sentence(first)
            story.shots = story.size = story.move = None
        else:
            text = word_events(w, events, story)
        if any(e.says_weather or e.new_props or any(e.says_mood) for e in events):
            continue  # something was not mentioned
        prompt = finish(w, text, story)
        if prompt:
            return prompt, story


def finish(w, text, story):
    """Applies case, slips and stops, and reads the spans back into the story. Returns the prompt, or None if a span is not legal."""
    kind = w.rng.random()
    if kind < 0.2:
        text = text.lower()
    elif kind < 0.24:
        text = text.upper()
    if w.chance(0.15) and text.endswith("."):
        text = text[:-1]
    if w.chance(0.12):
        for _ in range(w.pick([1, 1, 2, 3])):
            text = slip(w.rng, text)
    if w.chance(0.05) and not any(e.line for e in story.events):
        text = text.replace(".", " .") if w.chance(0.2) else re.sub(r"[.,](?= )", "", text)
    prompt, unsupported, lines = read_marks(text)
    data = prompt.encode()
    speaking = [e for e in story.events if e.line]
    if len(lines) != len(speaking) or len(data) > 640:
        return None
    short = {data[s:e] for s, e in legal_spans(data, LINE_BYTES)} if lines else ()
    for event, line in zip(speaking, lines):
        event.line = pieces(line, LINE_BYTES)
        if not event.line or any(piece.encode() not in short for piece in event.line):
            return None
    for event in story.events:
        event.line = event.line or []
    spans = {data[s:e] for s, e in legal_spans(data, SPAN_BYTES)} if unsupported else ()
    seen = {}
    for span in unsupported:
        seen.setdefault(span.lower(), span)
    if len(seen) > MAX_UNSUPPORTED or any(s.encode() not in spans for s in seen.values()):
        return None
    story.unsupported = list(seen.values())
    story.voices = {a: v for a, v in {**w.voices, **w.asked}.items() if any(a in e.actors for e in story.events)}
    return prompt
