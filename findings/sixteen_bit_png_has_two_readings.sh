#!/usr/bin/env bash
# A PNG of 16 bits becomes two different pictures of 8 bits, and neither is the nearest.
#
# Guess:  whoever reads a 16-bit PNG as 8-bit RGB gives the nearest level, round(v / 257), within a rare tie.
# True:   Pillow 12.3.0 and OpenCV 4.12.0 cut off the lower byte, FFmpeg 7.0.2 (swscale, with or without dither and accurate_rnd) rounds v / 256 (but for 832 values
#         beside a half) and holds it to 255: on a ramp of all values half of the levels differ by one between the two. 16,256 of 65,536 levels are not the nearest in Pillow's reading, 31,808 in FFmpeg's, all of those too bright.
# Matters: reference pictures and goldens of video models go through Pillow (diffusers), their films through FFmpeg: a first frame of 16 bits is half a level brighter in one than in
#         the other. Fabula reads such a PNG as Pillow does (video/io/probe.cpp).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q pillow==12.3.0 imageio-ffmpeg==0.6.0 opencv-python-headless==4.12.0.88 numpy==2.2.6
cat >read.py <<'PYTHON'
import struct
import subprocess
import zlib

import cv2
import imageio_ffmpeg
import numpy as np
import PIL
from PIL import Image


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


values = np.arange(65536)
rows = np.repeat(values.astype(">u2").reshape(256, 256, 1), 3, axis=2)
with open("ramp.png", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 256, 256, 16, 2, 0, 0, 0))
               + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))) + chunk(b"IEND", b""))
ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
raw = subprocess.run([ffmpeg, "-v", "error", "-i", "ramp.png", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
version = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
readings = {f"Pillow {PIL.__version__}": np.asarray(Image.open("ramp.png").convert("RGB"))[:, :, 0],
            f"OpenCV {cv2.__version__}": cv2.imread("ramp.png", cv2.IMREAD_COLOR)[:, :, 0],
            f"FFmpeg {version}": np.frombuffer(raw, np.uint8).reshape(256, 256, 3)[:, :, 0]}
readings = {name: levels.ravel().astype(int) for name, levels in readings.items()}
nearest = (values + 128) // 257
for name, levels in readings.items():
    print(f"{name}: {(levels != nearest).sum()} of 65536 levels are not the nearest, {(levels > nearest).sum()} of them above it")
pillow, opencv, other = readings.values()
print(f"Pillow and FFmpeg differ in {(pillow != other).sum()} levels, by {np.abs(pillow - other).max()} at most")
assert (pillow == values >> 8).all() and (opencv == pillow).all(), "changed: Pillow and OpenCV were expected to cut off"
others = (other != np.minimum((values + 128) >> 8, 255)).sum()
print(f"FFmpeg rounds v / 256 but for {others} values")
assert others == 832 and (pillow != other).sum() == 31808, "changed: FFmpeg was expected to round v / 256"
PYTHON
venv/bin/python read.py
