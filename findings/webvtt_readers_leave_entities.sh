#!/usr/bin/env bash
# Two common readers of WebVTT hand on `&amp;` and `&lt;` as they stand.
#
# Guess:  a cue's text comes back as it was written: "Salt & Pepper <shouted>" is escaped in the file, as the format demands, and unescaped by its reader.
# True:   pysubs2 1.8.1 and webvtt-py 0.5.1 return `Salt &amp; Pepper &lt;shouted&gt;`.
#         FFmpeg 7.0.2 unescapes.
# Matters: a subtitle that passes through a Python pipeline shows `&amp;` on the screen after its conversion to .srt. Fabula's own .srt and track are written from the plan, not from
#         its .vtt; a test that reads a .vtt back with these has to unescape.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q pysubs2==1.8.1 webvtt-py==0.5.1 imageio-ffmpeg==0.6.0
printf 'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nSalt &amp; Pepper &lt;shouted&gt;\n' >cue.vtt
venv/bin/python - <<'PYTHON'
import html

import pysubs2
import webvtt

seen = {"pysubs2": pysubs2.load("cue.vtt")[0].plaintext, "webvtt-py": webvtt.read("cue.vtt")[0].text}
for reader, text in seen.items():
    print(f"{reader}: {text}   (unescaped: {html.unescape(text)})")
assert all("&amp;" in text for text in seen.values()), "changed: entities were expected to stay"
PYTHON
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
echo "FFmpeg: $("$ffmpeg" -v error -i cue.vtt -f srt - </dev/null | sed -n 3p)"
