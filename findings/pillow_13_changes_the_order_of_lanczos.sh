#!/usr/bin/env bash
# Pillow 13 resizes some pictures to other bytes than every Pillow before it.
#
# Guess:  Image.resize with LANCZOS gives the same 8-bit picture in Pillow 12 and 13: same filter, same integer arithmetic.
# True:   the two passes round to 8 bits in between, so their order shows. Up to Pillow 12 the horizontal pass comes first; Pillow 13 takes the vertical one first where a
#         picture shrinks more in height than in width. Seen: 100 x 100 to 90 x 10 differs in many pixels, by up to 5 levels; 100 x 100 to 10 x 90 and 50 x 50 are equal.
# Matters: the published pipelines of MiniMax-H3 and of other models prepare first frames and references with Pillow. Latents, and with them films, depend on Pillow's version
#         wherever a picture is squeezed; goldens have to name it. Fabula's own LANCZOS keeps the order of Pillow 12 (engine/resample_picture.cpp).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >resize.py <<'PYTHON'
import hashlib
import sys

import PIL
from PIL import Image

# A picture without structure, from a congruential generator: the same in every version of everything.
state, pixels = 1, bytearray()
while len(pixels) < 30000:
    state = (1103515245 * state + 12345) % 2**31
    pixels.append(state >> 16 & 255)
picture = Image.frombytes("RGB", (100, 100), bytes(pixels))
results = [picture.resize(size, Image.Resampling.LANCZOS).tobytes() for size in ((90, 10), (10, 90), (50, 50))]
print("Pillow", PIL.__version__, *(hashlib.sha256(r).hexdigest()[:12] for r in results))
open(sys.argv[1], "wb").write(b"".join(results))
PYTHON
for version in 12.3.0 13.0.0; do
  python3 -m venv "venv$version"
  "venv$version/bin/pip" install -q "pillow==$version"
  "venv$version/bin/python" resize.py "$version"
done
python3 - <<'PYTHON'
before, after = open("12.3.0", "rb").read(), open("13.0.0", "rb").read()
squeezed = [abs(a - b) for a, b in zip(before[:2700], after[:2700])]
print(f"90 x 10: {sum(d > 0 for d in squeezed)} of 2700 values differ, by {max(squeezed)} at most; the others: {'equal' if before[2700:] == after[2700:] else 'different'}")
assert max(squeezed) > 0 and before[2700:] == after[2700:], "changed: only the picture that shrinks more in height was expected to differ"
PYTHON
