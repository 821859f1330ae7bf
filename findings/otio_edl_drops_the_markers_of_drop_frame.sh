#!/usr/bin/env bash
# OpenTimelineIO's reader of CMX 3600 lists loses every marker of a drop-frame list.
#
# Guess:  `* LOC:` comments become markers whatever the list counts in; the reader takes drop-frame timecode everywhere else.
# True:   a marker's time is only recognised with colons. In a list with `FCM: DROP FRAME`, whose timecodes have a semicolon before the frames, the events come through and
#         the markers do not: no exception, no warning. Seen with otio-cmx3600-adapter 1.0.0 and OpenTimelineIO 0.18.1.
# Matters: 29.97 films are delivered in drop-frame timecode. An editor who opens Fabula's list through OpenTimelineIO sees no notes about what a shot shows; the .otio and FCP 7 XML
#         files beside it keep them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0
venv/bin/pip list 2>/dev/null | grep -iE '^(opentimelineio|otio-cmx)'

cat >read.py <<'PYTHON'
import re

import opentimelineio as otio

EDL = """TITLE: CUT
FCM: NON-DROP FRAME

001  AX       V     C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00
* FROM CLIP NAME: first
* LOC: 01:00:01:00 RED     THE DOOR OPENS
"""
found = {}
for mode, sign in (("NON-DROP FRAME", ":"), ("DROP FRAME", ";")):
    text = re.sub(r"(\d\d:\d\d:\d\d):(\d\d)", rf"\1{sign}\2", EDL.replace("NON-DROP FRAME", mode))
    (clip,) = otio.adapters.read_from_string(text, "cmx_3600", rate=30000 / 1001).find_clips()
    found[mode] = [marker.name for marker in clip.markers]
    print(f"{mode}: clip {clip.name}, {clip.duration().value:g} frames, markers {found[mode]}")
assert found == {"NON-DROP FRAME": ["THE DOOR OPENS"], "DROP FRAME": []}, "changed: the drop-frame list was expected to lose its marker"
PYTHON
venv/bin/python read.py
