#!/usr/bin/env bash
# FFmpeg's MP4 muxer brings a subtitle 43 minutes early.
#
# Guess:  subtitles converted to mov_text keep their times, however long nobody speaks.
# True:   `ffmpeg -c:s mov_text` gives the track the encoder's time base of 1/1,000,000 s. A silence is stored as the duration of an empty sample, and where it is longer
#         than 2^31 - 1 units, 2,147 s, it is stored as 1 us without a word: the next cue and all later ones follow at once. The exit code is 0.
#         Seen: a cue at 43:10 comes at 00:02 (FFmpeg 7.0.2 from PyPI; Debian 12's 5.1.9 does the same). At 35:40 it stays where it is.
# Matters: a film with half an hour of silence between lines, a concert or a long act without dialogue, plays its subtitles at the wrong place. Fabula's own track has a
#         time base of 1/1000, in which 24 days fit; a test holds a silence of 43 minutes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q imageio-ffmpeg==0.6.0
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -version | head -n 1

# When the second of two cues starts after a round trip through MP4. $1: when it was to start.
start_of_second() {
  printf '1\n00:00:01,000 --> 00:00:02,000\nearly\n\n2\n%s,000 --> %s,900\nlate\n' "$1" "$1" >cues.srt
  "$ffmpeg" -v error -y -i cues.srt -c:s mov_text film.mp4 </dev/null
  "$ffmpeg" -v error -i film.mp4 -map 0:s -f srt - </dev/null | grep -B 1 late | head -n 1 | cut -c 1-12
}

short=$(start_of_second 00:35:40) long=$(start_of_second 00:43:10)
echo "silence of 35:38: the cue of 00:35:40 starts at $short"
echo "silence of 43:08: the cue of 00:43:10 starts at $long"
[ "$short" = 00:35:40,000 ] && [ "$long" = 00:00:02,000 ] || {
  echo "changed: the cues were expected at 00:35:40,000 and 00:00:02,000" >&2
  exit 1
}
