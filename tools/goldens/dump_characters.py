"""Dumps a small tokenizer of characters, as Llama 2 and TinyLlama have them: the ids that `tokenizers` gives, and the same vocabulary as a GGUF file.

    python dump_characters.py OUT

OUT/tokenizer.json writes spaces by its normalizer, and variants.json has the ids of one that writes them by its pre-tokenizer. OUT/tokenizer.gguf holds tokens
and scores alone, as llama.cpp's converter writes a SentencePiece model (packages tokenizers, gguf, numpy).
"""
import argparse
import json
import pathlib

import gguf
import numpy
import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

MARK, MERGED = "\u2581", 420
TEXTS = ["", " ", "a", "Hello, world!", "A red fox walks in the forest.", "   leading and   inner    spaces   ", "tabs\tand\n\nnewlines \r\n end  ",
         "1234567890 3.14 v2.0", '{"id":"s001","start_ms":1200,"cast":[{"id":"fox"}]}', "小狐狸在森林里散步。", "é vs e\u0301 (no NFC)", "🦊🐇👩‍👩‍👧",
         "<s>x</s>", "x</s> y</s>z", "</s>", " </s>", "<unk>", "<0x0A>", "a\u2581b", "\u2581", "Лиса бежит. キツネ 여우",
         "aaaaaaaaaaaaaaaaaaaaaaaa", "\n", "a\u0000b",
         "the the  the   the", "<|user|>\nWho?</s>\n<|assistant|>\n", "\u00a0non\u2003breaking"]

TURNS = ("{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + eos_token }}"
         "{% else %}{{ '<|system|>\n' + message['content'] + eos_token }}{% endif %}{{ '\n' }}"
         "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}")
QUESTIONS = [{"system": "Be brief.", "user": "A fox runs."}, {"system": "", "user": "Zwei Füchse -- it's \"42\" miles."}]


def trained(corpus: list[str]) -> dict:
    """A BPE of characters with bytes and runs of spaces, as SentencePiece orders its tokens: special ones, bytes, tokens by merge, characters."""
    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always", split=True)
    made.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=MERGED, limit_alphabet=110, show_progress=False))
    parsed = json.loads(made.to_str())
    merges = [tuple(merge) for merge in parsed["model"]["merges"]] + [(MARK, MARK), (MARK * 2, MARK * 2)]
    joined = list(dict.fromkeys("".join(merge) for merge in merges))
    characters = [token for token in sorted(parsed["model"]["vocab"]) if len(token) == 1]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + joined + characters
    vocabulary = {name: number for number, name in enumerate(names)}
    # All splits of a token, in the order of its score: so transformers makes merges of a SentencePiece model.
    everything = []
    for token in joined:
        splits = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in vocabulary and token[i:] in vocabulary]
        everything += sorted(splits, key=lambda split: (vocabulary[split[0]], vocabulary[split[1]]))
    special = [{"id": i, "content": names[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i in range(3)]
    parsed["added_tokens"] = special
    parsed["model"].update({"vocab": vocabulary, "merges": [" ".join(pair) for pair in everything]})
    parsed["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK},
                                                               {"type": "Replace", "pattern": {"String": " "}, "content": MARK}]}
    parsed["pre_tokenizer"] = None
    sequence = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    made.decoder = sequence
    parsed["decoder"] = json.loads(made.to_str())["decoder"]
    return parsed


def cases_of(made: Tokenizer) -> list[dict]:
    cases = []
    for text in TEXTS:
        ids = made.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "decoded": made.decode(ids, skip_special_tokens=False),
                      "decoded_skip_special": made.decode(ids, skip_special_tokens=True)})
    return cases


def write_gguf(file: pathlib.Path, parsed: dict) -> None:
    names = sorted(parsed["model"]["vocab"], key=parsed["model"]["vocab"].get)
    kinds = gguf.TokenType
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL] + [kinds.BYTE] * 256 + [kinds.NORMAL] * (len(names) - 259)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(names)
    writer.add_token_scores([0.0] * 259 + [-float(i) for i in range(len(names) - 259)])
    writer.add_token_types(types)
    writer.add_tensor("token_embd.weight", numpy.zeros((1, 32), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_chats(file: pathlib.Path, made: Tokenizer) -> None:
    """Questions in turns of <|role|> … </s>, as TinyLlama-Chat has them, through transformers."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>")
    cases = []
    for question in QUESTIONS:
        messages = [{"role": role, "content": question[role]} for role in ("system", "user") if question[role]]
        text = tokenizer.apply_chat_template(messages, chat_template=TURNS, tokenize=False, add_generation_prompt=True)
        cases.append({"template": TURNS, **question, "text": text, "ids": tokenizer.encode(text, add_special_tokens=False)})
    file.write_text(json.dumps({"made_with": {"transformers": transformers.__version__}, "cases": cases}, ensure_ascii=False, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    root = pathlib.Path(__file__).parents[2]
    parsed = trained([(root / "LICENSE").read_text()] + [text for text in TEXTS if "<" not in text])
    llama = json.loads(json.dumps(parsed))
    for token in llama["added_tokens"]:  # as the first Llama 2 files have it
        token["normalized"] = True
    metaspace = dict(parsed, normalizer=None, pre_tokenizer={"type": "Metaspace", "replacement": MARK, "prepend_scheme": "first", "split": False})
    what = f"ids of tokenizers {tokenizers.__version__}"
    variants = {name: cases_of(Tokenizer.from_str(json.dumps(one))) for name, one in (("metaspace", metaspace), ("normalized", llama))}
    cases = cases_of(Tokenizer.from_str(json.dumps(parsed)))
    (out / "tokenizer.json").write_text(json.dumps(parsed, ensure_ascii=False, separators=(",", ":")) + "\n")
    (out / "cases.json").write_text(json.dumps({"what": what, "cases": cases}, ensure_ascii=False) + "\n")
    (out / "variants.json").write_text(json.dumps({"what": what, "variants": variants}, ensure_ascii=False) + "\n")
    write_gguf(out / "tokenizer.gguf", parsed)
    write_chats(out / "chat.json", Tokenizer.from_str(json.dumps(parsed)))


if __name__ == "__main__":
    main()
