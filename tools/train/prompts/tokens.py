"""The planner's token stream (docs/BUNDLE.md): segments of a plan, the tokenizer, token ids with loss mask, and each shot's conditioning rows."""

import functools
import json
from typing import NamedTuple

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from world import editions, speech

WORLD = editions.world()

QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# Merges are learnt on words without the preceding character, so that none joins a space or a quote to a letter:
# a word then has the same tokens everywhere under Qwen's split, and copying it from the prompt means copying tokens.
TRAINING_SPLIT = r"_?\p{L}+|\p{N}| |[^\s\p{L}\p{N}_]+|_|\s"
SPECIAL = (["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|score|>", "<|/score|>"]
           + [f"<|ph:{p}|>" for p in WORLD["phones"]] + [f"<|snd:{s}|>" for s in WORLD["sounds"]])
VOCABULARY = 2048

# Kinds of segments. All others are values, written token by token, with the field's name as their kind.
FIXED = {"special", "prompt", "literal", "number", "sound"}  # never a choice
CHOICE = "choice"  # a literal chosen among alternatives by its first token
OPEN_ENDED = {"treatment", "title", "name", "look", "description", "text", "unsupported"}  # the end of the value is a choice too

# Lists that a world may lack; the stream is shorter without them.
WEATHERS, MOODS, PROPS = ([e["id"] for e in WORLD.get(name, []) if isinstance(e, dict)] for name in ("weathers", "moods", "props"))
MAX_PROPS = 2  # per shot

CHARACTER_END, PLACE_END, CAST_END, PROP_END, BEAT_END, SHOT_END = '"}}', '"}', '"}', '"}', '"}', '"}'
AFTER_PROPS, PROP_OPEN = '],"action_beats":[', '{"id":"'
AFTER_CHARACTERS, AFTER_PLACES, AFTER_CAST = '],"places":[', '],"shots":[', '],"props":[' if PROPS else AFTER_PROPS
AFTER_BEATS, AFTER_LINE, AFTER_SHOTS = '],"camera":{"size":"', '],"ambience":"', '],"sound":{"music":"none"},"unsupported":['
LINE_OPEN, UNSUPPORTED_OPEN, END = '{"speaker":"', '"', "]}"


class Segment(NamedTuple):
    """A piece of the stream; `kind` decides how it is tokenized and whether it carries loss."""
    kind: str
    text: str


class _StreamWriter:
    """Collects the stream as (Segment, tag). A tag names the entry that a segment belongs to: ("character", id), ("place", id), ("shot", i), ("sound", i) or
    None."""

    def __init__(self):
        self.out = []

    def put(self, kind, text, tag=None):
        """Appends one segment."""
        self.out.append((Segment(kind, text), tag))

    def parts(self, tag, *parts):
        """Appends literals (str) and (kind, text) pairs under one tag."""
        for part in parts:
            self.put("literal", part, tag) if isinstance(part, str) else self.put(*part, tag)

    def joined(self, items, write, after, kind=CHOICE, tag=None):
        """Appends `write(i, item)` for each item, with commas between them and the literal `after` at the end. `kind` is the kind of the commas and of
        `after`."""
        for i, item in enumerate(items):
            if i:
                self.put(kind, ",", tag)
            write(i, item)
        self.put(kind, after, tag)

    def character(self, _, c):
        """CHARACTER of docs/BUNDLE.md."""
        self.parts(("character", c["id"]), '{"id":"', ("actor", c["id"]), '","name":"', ("name", c["name"]), '","look":"', ("look", c["look"]),
                   '","voice":{"voice_id":"', ("voice", c["voice"]["voice_id"]), CHARACTER_END)

    def place(self, _, p):
        """PLACE of docs/BUNDLE.md."""
        weather = ('","weather":"', ("weather", p.get("weather") or WEATHERS[0])) if WEATHERS else ()
        self.parts(("place", p["id"]), '{"id":"', ("place", p["id"]), '","description":"', ("description", p["description"]),
                   '","time_of_day":"', ("time", p["time_of_day"]), *weather, PLACE_END)

    def member(self, tag, c):
        """One of a shot's cast."""
        mood = ('","mood":"', ("mood", c.get("mood") or MOODS[0])) if MOODS else ()
        self.parts(tag, '{"id":"', ("cast", c["id"]), '","position":"', ("position", c["position"]), '","facing":"', ("facing", c["facing"]), *mood, CAST_END)

    def props(self, tag, items):
        """A shot's props and the literal after them."""
        for k, p in enumerate(items):
            self.parts(tag, *([(CHOICE, ",")] if k else []), PROP_OPEN if k else (CHOICE, PROP_OPEN), ("prop", p["id"]), '","position":"',
                       ("position", p["position"]), PROP_END)
        self.put(CHOICE, AFTER_PROPS, tag)

    def line(self, tag, line):
        """A shot's line."""
        self.parts(tag, (CHOICE, LINE_OPEN), ("speaker", line["speaker"]), '","text":"', ("text", line["text"]), '","start_ms":',
                   ("number", str(line["start_ms"])), ',"end_ms":', ("number", str(line["end_ms"])), ',"mode":"on_screen"}')

    def shot(self, i, s, sounds):
        """SHOT of docs/BUNDLE.md with its score; `sounds` are the score's tokens."""
        tag = ("shot", i)
        self.parts(tag, f'{{"id":"{s["id"]}","place":"', ("place_id", s["place"]), '","start_ms":', ("number", str(s["start_ms"])), ',"duration_ms":',
                   ("number", str(s["duration_ms"])), ',"cast":[')
        self.joined(s["cast"], lambda _, c: self.member(tag, c), AFTER_CAST, CHOICE, tag)
        if PROPS:
            self.props(tag, s.get("props", []))
        self.joined(s["action_beats"], lambda _, b: self.parts(tag, '{"at_ms":0,"who":"', ("who", b["who"]), '","what":"', ("action", b["what"]), BEAT_END),
                    AFTER_BEATS, CHOICE, tag)
        self.parts(tag, ("size", s["camera"]["size"]), '","move":"', ("move", s["camera"]["move"]), '"},"dialogue":[')
        for line in s["dialogue"]:
            self.line(tag, line)
        self.parts(tag, ("literal" if s["dialogue"] else CHOICE, AFTER_LINE), ("ambience", s["ambience"]), SHOT_END)
        self.put("special", "<|score|>")
        for token in sounds:
            self.put("sound", token, ("sound", i))
        self.put("special", "<|/score|>")

    def plan(self, prompt, plan, scores):
        """The whole stream: prompt, plan, end of answer."""
        self.parts(None, ("special", "<|im_start|>"), "user\n", ("prompt", prompt), ("special", "<|im_end|>"), "\n", ("special", "<|im_start|>"),
                   "assistant\n")
        self.parts(None, '{"version":"fabula.plan/1","treatment":"', ("treatment", plan["treatment"]), '","title":"', ("title", plan["title"]),
                   '","aspect":"16:9","fps":24,"total_ms":', ("total_ms", str(plan["total_ms"])), ',"language":"en","characters":[')
        self.joined(plan["characters"], self.character, AFTER_CHARACTERS)
        self.joined(plan["places"], self.place, AFTER_PLACES)
        self.joined(plan["shots"], lambda i, s: self.shot(i, s, scores[i]), AFTER_SHOTS, "literal")
        for i, text in enumerate(plan["unsupported"]):
            if i:
                self.put(CHOICE, ",")
            self.put("literal" if i else CHOICE, UNSUPPORTED_OPEN)
            self.parts(None, ("unsupported", text), '"')
        self.put(CHOICE, END)
        self.put("special", "<|im_end|>")


def tagged_segments(prompt, plan, scores):
    """The stream of a plan as [(Segment, tag)] (`_StreamWriter`); `scores[i]` are the sound tokens of shot i."""
    writer = _StreamWriter()
    writer.plan(prompt, plan, scores)
    return writer.out


def segments(prompt, plan, scores):
    """The stream of a plan as [Segment]; `scores[i]` are the sound tokens of shot i."""
    return [segment for segment, _ in tagged_segments(prompt, plan, scores)]


def scores_of(plan):
    """The score of each shot: [(token, start in seconds)]."""
    return [speech.score(WORLD, plan, i) for i in range(len(plan["shots"]))]


class Vocabulary:
    """A tokenizer.json as the stream uses it: plain text by BPE without special tokens, special tokens by name. `text(string)` gives the ids of plain text;
    `bytes[id]` is what a plain token stands for."""

    def __init__(self, path):
        data = json.loads(open(path).read())
        self.tokenizer = Tokenizer.from_file(str(path))
        self.special = {t["content"]: t["id"] for t in data["added_tokens"]}
        self.plain = Tokenizer.from_str(json.dumps({**data, "added_tokens": []}))
        self.size = self.tokenizer.get_vocab_size()
        alphabet = {c: b for b, c in bytes_to_unicode().items()}
        self.bytes = [b""] * self.size  # bytes of each plain token; empty for special tokens
        for token, i in data["model"]["vocab"].items():
            self.bytes[i] = bytes(alphabet[c] for c in token)
        self.text = functools.lru_cache(maxsize=65536)(lambda text: tuple(self.plain.encode(text).ids))

    def encode(self, segment):
        """Token ids of a segment."""
        if segment.kind in ("special", "sound"):
            return (self.special[segment.text],)
        return self.text(segment.text)


class Encoded(NamedTuple):
    """A tokenized plan."""
    ids: list  # token ids
    loss: list  # True where the planner had a choice
    kinds: list  # kind of each token's segment
    shots: list  # for each shot: (indices of its untimed rows, indices of its sound rows, their starts in seconds)


def encode_plan(vocabulary, prompt, plan):
    """Token ids, loss mask, and each shot's conditioning rows ("Conditioning of a shot" in docs/BUNDLE.md)."""
    scores = scores_of(plan)
    ids, loss, kinds, tags = [], [], [], []
    ending = False
    for segment, tag in tagged_segments(prompt, plan, [[t for t, _ in s] for s in scores]):
        tokens = vocabulary.encode(segment)
        value = segment.kind not in FIXED and segment.kind != CHOICE
        mask = [value] * len(tokens)
        mask[0] = value or segment.kind == CHOICE or ending
        ending = segment.kind in OPEN_ENDED
        ids += tokens
        loss += mask
        kinds += [segment.kind] * len(tokens)
        tags += [tag] * len(tokens)
    shots = []
    for i, shot in enumerate(plan["shots"]):
        wanted = {("character", c["id"]) for c in shot["cast"]} | {("place", shot["place"]), ("shot", i)}
        shots.append(([k for k, tag in enumerate(tags) if tag in wanted], [k for k, tag in enumerate(tags) if tag == ("sound", i)],
                      [start for _, start in scores[i]]))
    return Encoded(ids, loss, kinds, shots)


def bytes_to_unicode():
    """GPT-2's byte alphabet: byte -> character."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return {**{b: chr(b) for b in shown}, **{b: chr(256 + i) for i, b in enumerate(hidden)}}


def train_tokenizer(texts, path, vocabulary=VOCABULARY):
    """Trains byte-level BPE on the texts of segments and saves it in the layout of Qwen's tokenizer.json. Every byte is a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    loose = pre_tokenizers.Split(Regex(TRAINING_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([loose, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=vocabulary - len(SPECIAL), initial_alphabet=sorted(bytes_to_unicode().values()), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    split = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(path))
