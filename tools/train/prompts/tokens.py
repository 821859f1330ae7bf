"""The planner's token stream (docs/BUNDLE.md): segments of a plan, the tokenizer, ids with their loss mask and each shot's conditioning rows."""

import functools
import json
from typing import NamedTuple

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from world import editions, speech

WORLD = editions.world()

QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# Merges are learnt on words cut loose from what stands before them, so none joins a space or a quote to a letter:
# under Qwen's own split a word is then the same tokens wherever it stands, and copying one from the prompt is copying its tokens.
TRAINING_SPLIT = r"_?\p{L}+|\p{N}| |[^\s\p{L}\p{N}_]+|_|\s"
SPECIAL = (["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|score|>", "<|/score|>"]
           + [f"<|ph:{p}|>" for p in WORLD["phones"]] + [f"<|snd:{s}|>" for s in WORLD["sounds"]])
VOCABULARY = 2048

# Kinds of segments. What is in none of these is a value, written token by token; its field's name is its kind.
FIXED = {"special", "prompt", "literal", "number", "sound"}  # never a choice
CHOICE = "choice"  # a literal chosen among alternatives by its first token
OPEN_ENDED = {"treatment", "title", "name", "look", "description", "text", "unsupported"}  # where a value ends is a choice too

# The lists that a world may lack; without them the stream is shorter.
WEATHERS, MOODS, PROPS = ([e["id"] for e in WORLD.get(name, []) if isinstance(e, dict)] for name in ("weathers", "moods", "props"))
MAX_PROPS = 2  # a shot

CHARACTER_END, PLACE_END, CAST_END, PROP_END, BEAT_END, SHOT_END = '"}}', '"}', '"}', '"}', '"}', '"}'
AFTER_PROPS, PROP_OPEN = '],"action_beats":[', '{"id":"'
AFTER_CHARACTERS, AFTER_PLACES, AFTER_CAST = '],"places":[', '],"shots":[', '],"props":[' if PROPS else AFTER_PROPS
AFTER_BEATS, AFTER_LINE, AFTER_SHOTS = '],"camera":{"size":"', '],"ambience":"', '],"sound":{"music":"none"},"unsupported":['
LINE_OPEN, UNSUPPORTED_OPEN, END = '{"speaker":"', '"', "]}"


class Segment(NamedTuple):
    kind: str
    text: str


def segments(prompt, plan, scores):
    """The stream of a plan; `scores[i]` are the sound tokens of shot i."""
    return [s for s, _ in tagged(prompt, plan, scores)]


def tagged(prompt, plan, scores):
    """[(Segment, tag)]; the tag says whose entry a segment belongs to: ("character", id), ("place", id), ("shot", i), ("sound", i) or None."""
    out = []

    def put(kind, text, tag=None):
        out.append((Segment(kind, text), tag))

    def pairs(tag, *parts):
        for part in parts:
            put("literal", part, tag) if isinstance(part, str) else put(*part, tag)

    def joined(items, write, after, kind=CHOICE, tag=None):
        for i, item in enumerate(items):
            if i:
                put(kind, ",", tag)
            write(i, item)
        put(kind, after, tag)

    def character(_, c):
        pairs(("character", c["id"]), '{"id":"', ("actor", c["id"]), '","name":"', ("name", c["name"]), '","look":"', ("look", c["look"]),
              '","voice":{"voice_id":"', ("voice", c["voice"]["voice_id"]), CHARACTER_END)

    def place(_, p):
        weather = ('","weather":"', ("weather", p.get("weather") or WEATHERS[0])) if WEATHERS else ()
        pairs(("place", p["id"]), '{"id":"', ("place", p["id"]), '","description":"', ("description", p["description"]),
              '","time_of_day":"', ("time", p["time_of_day"]), *weather, PLACE_END)

    def member(tag):
        def write(_, c):
            mood = ('","mood":"', ("mood", c.get("mood") or MOODS[0])) if MOODS else ()
            pairs(tag, '{"id":"', ("cast", c["id"]), '","position":"', ("position", c["position"]), '","facing":"', ("facing", c["facing"]), *mood, CAST_END)
        return write

    def props(tag, items):
        for k, p in enumerate(items):
            pairs(tag, *([(CHOICE, ",")] if k else []), PROP_OPEN if k else (CHOICE, PROP_OPEN), ("prop", p["id"]), '","position":"',
                  ("position", p["position"]), PROP_END)
        put(CHOICE, AFTER_PROPS, tag)

    def beat(tag):
        return lambda _, b: pairs(tag, '{"at_ms":0,"who":"', ("who", b["who"]), '","what":"', ("action", b["what"]), BEAT_END)

    def shot(i, s):
        tag = ("shot", i)
        pairs(tag, f'{{"id":"{s["id"]}","place":"', ("place_id", s["place"]), '","start_ms":', ("number", str(s["start_ms"])), ',"duration_ms":',
              ("number", str(s["duration_ms"])), ',"cast":[')
        joined(s["cast"], member(tag), AFTER_CAST, CHOICE, tag)
        if PROPS:
            props(tag, s.get("props", []))
        joined(s["action_beats"], beat(tag), AFTER_BEATS, CHOICE, tag)
        pairs(tag, ("size", s["camera"]["size"]), '","move":"', ("move", s["camera"]["move"]), '"},"dialogue":[')
        for line in s["dialogue"]:
            pairs(tag, (CHOICE, LINE_OPEN), ("speaker", line["speaker"]), '","text":"', ("text", line["text"]), '","start_ms":',
                  ("number", str(line["start_ms"])),
                  ',"end_ms":', ("number", str(line["end_ms"])), ',"mode":"on_screen"}')
        pairs(tag, ("literal" if s["dialogue"] else CHOICE, AFTER_LINE), ("ambience", s["ambience"]), SHOT_END)
        put("special", "<|score|>")
        for token in scores[i]:
            put("sound", token, ("sound", i))
        put("special", "<|/score|>")

    def unsupported(_, text):
        pairs(None, ("unsupported", text), '"')

    pairs(None, ("special", "<|im_start|>"), "user\n", ("prompt", prompt), ("special", "<|im_end|>"), "\n", ("special", "<|im_start|>"), "assistant\n")
    pairs(None, '{"version":"fabula.plan/1","treatment":"', ("treatment", plan["treatment"]), '","title":"', ("title", plan["title"]),
          '","aspect":"16:9","fps":24,"total_ms":', ("total_ms", str(plan["total_ms"])), ',"language":"en","characters":[')
    joined(plan["characters"], character, AFTER_CHARACTERS)
    joined(plan["places"], place, AFTER_PLACES)
    joined(plan["shots"], shot, AFTER_SHOTS, "literal")
    for i, text in enumerate(plan["unsupported"]):
        if i:
            put(CHOICE, ",")
        put("literal" if i else CHOICE, UNSUPPORTED_OPEN)
        unsupported(i, text)
    put(CHOICE, END)
    put("special", "<|im_end|>")
    return out


def scores_of(plan):
    """The score of each shot: [(token, start in seconds)]."""
    return [speech.score(WORLD, plan, i) for i in range(len(plan["shots"]))]


class Vocabulary:
    """A tokenizer.json as the stream uses it: plain text by BPE without special tokens, special tokens by name."""

    def __init__(self, path):
        data = json.loads(open(path).read())
        self.tokenizer = Tokenizer.from_file(str(path))
        self.special = {t["content"]: t["id"] for t in data["added_tokens"]}
        self.plain = Tokenizer.from_str(json.dumps({**data, "added_tokens": []}))
        self.size = self.tokenizer.get_vocab_size()
        alphabet = {c: b for b, c in bytes_to_unicode().items()}
        self.bytes = [b""] * self.size  # of each plain token; empty for special ones
        for token, i in data["model"]["vocab"].items():
            self.bytes[i] = bytes(alphabet[c] for c in token)
        self.text = functools.lru_cache(maxsize=65536)(lambda text: tuple(self.plain.encode(text).ids))

    def encode(self, segment):
        if segment.kind in ("special", "sound"):
            return (self.special[segment.text],)
        return self.text(segment.text)


class Encoded(NamedTuple):
    ids: list  # of all tokens
    loss: list  # True where the planner had a choice
    kinds: list  # the kind of the segment of each token
    shots: list  # for each shot: (indices of its untimed rows, indices of its sound rows, their starts in seconds)


def encode_plan(vocabulary, prompt, plan):
    """Ids, loss mask and each shot's conditioning rows ("Conditioning of a shot" in docs/BUNDLE.md)."""
    scores = scores_of(plan)
    ids, loss, kinds, tags = [], [], [], []
    ending = False
    for segment, tag in tagged(prompt, plan, [[t for t, _ in s] for s in scores]):
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
    """Byte-level BPE on the texts of segments, saved in the layout of Qwen's tokenizer.json; every byte is a token."""
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
