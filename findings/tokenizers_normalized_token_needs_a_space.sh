#!/usr/bin/env bash
# A special token that is marked "normalized" is found only behind a space where the tokenizer puts a mark before its text.
#
# Guess:  an added token is cut out of a text wherever it stands; "normalized" says at most whether case or accents of the text are folded before.
# True:   in tokenizers 0.23.3 the token's own content goes through the normalizer, too. One with Prepend "▁", as Llama 2's first conversions have it, turns "</s>" into "▁</s>", which
#         a text has only at its start or behind a space: "x</s>" is spelt in characters, "x </s>" ends in the token, and the space is gone. With "normalized": false both end in it.
# Matters: a chat template puts </s> right behind an answer. Through such a file the model never sees its turns end, and neither does a count of tokens. Fabula's tokenizer
#         does the same as tokenizers (tests/goldens/characters, variant "normalized"), and its chat form adds </s> by number, never as text (planner/lm/chat.cpp).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q tokenizers==0.23.3
cat >read.py <<'PYTHON'
import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers

print("tokenizers", tokenizers.__version__)
seen = {}
for normalized in (False, True):
    vocabulary = {token: number for number, token in enumerate(["<unk>", "</s>", "\u2581", "x", "<", "/", "s", ">"])}
    made = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    made.add_special_tokens([AddedToken("</s>", normalized=normalized, special=True)])
    for text in ("</s>", "x</s>", "x </s>"):
        encoding = made.encode(text, add_special_tokens=False)
        seen[text, normalized] = encoding.ids[-1] == made.token_to_id("</s>")
        print(f'"normalized": {str(normalized).lower():5} {text!r:9} -> {encoding.ids} {encoding.tokens}')
assert all(seen[text, False] for text in ("</s>", "x</s>", "x </s>")), "changed: the token was expected everywhere"
assert seen["</s>", True] and seen["x </s>", True], "changed: the token was expected at the start and behind a space"
assert not seen["x</s>", True], "changed: the token was expected to be missed behind a letter"
PYTHON
venv/bin/python read.py
