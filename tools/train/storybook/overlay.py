"""A film annotated with its truth, for people who check the data: boxes and names in the picture, events and phones on a timeline below."""

import pathlib
import subprocess
import tempfile
import wave

import cv2
import numpy as np

from storybook import mixing, stage, tracks
from world.acoustics import SAMPLE_RATE

SCALE, STRIP = 3, 96  # the picture is enlarged three times; height of the timeline below it
COLOURS = ((255, 90, 90), (90, 200, 255), (120, 230, 120), (255, 210, 80), (220, 140, 255), (255, 160, 90))
FACE = cv2.FONT_HERSHEY_SIMPLEX


def write_text(image, text, x, y, rgb, size=0.4):
    """Writes small text into an image."""
    cv2.putText(image, text, (int(x), int(y)), FACE, size, (20, 20, 20), 3, cv2.LINE_AA)
    cv2.putText(image, text, (int(x), int(y)), FACE, size, rgb, 1, cv2.LINE_AA)


def strip(width, sound, truth, phones, lines, seconds):
    """The timeline of a shot, uint8 [STRIP, width, 3]: its waveform with the events above and the phones below."""
    image = np.full((STRIP, width, 3), 28, np.uint8)

    def at(s):
        """The column of a time in seconds."""
        return int(s / seconds * (width - 1))
    edges = np.linspace(0, len(sound), width + 1).astype(int)
    for x in range(width):
        piece = sound[edges[x]:edges[x + 1]]
        top = min(1.0, 2.2 * float(np.abs(piece).max(initial=0)))
        cv2.line(image, (x, int(52 - 20 * top)), (x, int(52 + 20 * top)), (90, 130, 170), 1)
    for i, event in enumerate(truth["events"]):
        cv2.line(image, (at(event["s"]), 14), (at(event["s"]), 72), (255, 180, 80), 1)
        write_text(image, event["sound"], at(event["s"]) + 2, 11 + 9 * (i % 2), (255, 210, 140), 0.3)
    for name, start, _ in phones:
        cv2.line(image, (at(start), 74), (at(start), 82), (140, 230, 160), 1)
        write_text(image, name, at(start) + 1, 82, (160, 240, 180), 0.28)
    for line in lines:
        write_text(image, f'{line["speaker"]}: {line["text"]}', at(line["s"]) + 2, 93, (255, 255, 255), 0.34)
    return image


def annotated(plan, index, seed):
    """(annotated frames uint8 [n,h,w,3], samples) of a shot."""
    shot, phones = plan["shots"][index], mixing.phones_of(plan, index)
    frames, _, truth = stage.render_shot(plan, index, seed, phones)
    sound = mixing.render_sound(plan, index, seed)
    seconds = len(frames) / tracks.FPS
    lines = [{**line, "s": (line["start_ms"] - shot["start_ms"]) / 1000} for line in shot["dialogue"]]
    width = frames.shape[2] * SCALE
    below, out = strip(width, sound, truth, phones, lines, seconds), []
    head = (f'{shot["id"]}  {truth["place"]}, {truth["time"]}, {truth["weather"]}  |  {shot["camera"]["size"]} {shot["camera"]["move"]}  |  '
            f'music {plan["sound"]["music"]}')
    for n, frame in enumerate(frames):
        image = cv2.resize(frame, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
        t = n / tracks.FPS
        for i, (entity, box) in enumerate(zip(truth["entities"], truth["boxes"][n])):
            if box is None:
                continue
            x0, y0, x1, y1 = (v * SCALE for v in box)
            cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), COLOURS[i % len(COLOURS)], 1)
            what = [w for s, w in entity["moves"] if s <= t][-1]
            name = entity["who"] if entity["tint"] == "natural" else f'{entity["tint"]} {entity["who"]}'
            write_text(image, f"{name} {what}", x0 + 2, max(24, y0 - 4), COLOURS[i % len(COLOURS)], 0.38)
        write_text(image, head, 5, 13, (255, 255, 255), 0.4)
        foot = below.copy()
        x = int(t / seconds * (width - 1))
        cv2.line(foot, (x, 0), (x, STRIP), (255, 255, 255), 1)
        out.append(np.concatenate([image, foot]))
    return np.stack(out), sound


def write_movie(path, frames, sound, fps):
    """Writes RGB frames and samples as an MP4, using ffmpeg."""
    path = pathlib.Path(path)
    with tempfile.TemporaryDirectory() as folder:
        wav = pathlib.Path(folder) / "sound.wav"
        with wave.open(str(wav), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SAMPLE_RATE)
            out.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
        size = f"{frames.shape[2]}x{frames.shape[1]}"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps), "-i", "-", "-i", str(wav), "-c:v",
                   "libx264",
                   "-preset", "veryfast", "-threads", "1", "-crf", "16", "-pix_fmt", "yuv420p",
                   "-r", str(2 * fps), "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", "-f", "mp4", str(path) + ".part"]
        subprocess.run(command, input=np.ascontiguousarray(frames).tobytes(), check=True)
    pathlib.Path(str(path) + ".part").rename(path)
