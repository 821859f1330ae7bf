#!/bin/sh
# What x264's presets cost and what they give, at equal size of the file, on films that Fabula made.
# Usage: tools/bench/x264_presets.sh LOSSLESS.mp4...      (films of `fabula render --crf 0`)
# For each film and preset it looks for the crf at which the picture takes as many bytes as preset "medium" does at crf 16, and prints that
# crf, the size, PSNR and SSIM against the lossless frames, and the seconds of processor time for encoding alone. The settings are those
# of video/io/encoders.cpp.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

encode() { # FILM PRESET CRF  ->  $work/out.mp4
  ffmpeg -nostdin -v error -i "$1" -map 0:v -c:v libx264 -preset "$2" -crf "$3" -threads 4 -g 48 -pix_fmt yuv420p \
    -x264-params cpu-independent=1 -y "$work/out.mp4"
}
size() { ffprobe -v error -select_streams v -show_entries packet=size -of csv=p=0 "$work/out.mp4" | awk '{ s += $1 } END { print s }'; }
quality() { # FILM FILTER KEY
  ffmpeg -nostdin -hide_banner -i "$work/out.mp4" -i "$1" -map 0:v -lavfi "[0:v][1:v]$2" -f null - 2>&1 |
    sed -n "s/.*$3:\([0-9.]*\).*/\1/p" | tail -1
}
seconds() { # FILM PRESET CRF: of the encoding, less those of decoding alone
  processor() { sed -n 's/^bench: utime=\([0-9.]*\)s stime=\([0-9.]*\)s.*/\1 \2/p' | awk '{ print $1 + $2 }'; }
  both=$(ffmpeg -nostdin -benchmark -hide_banner -i "$1" -map 0:v -c:v libx264 -preset "$2" -crf "$3" -threads 4 -g 48 \
    -x264-params cpu-independent=1 -f null - 2>&1 | processor)
  decoding=$(ffmpeg -nostdin -benchmark -hide_banner -i "$1" -map 0:v -f null - 2>&1 | processor)
  awk -v a="$both" -v b="$decoding" 'BEGIN { printf "%.2f", a - b }'
}

printf '%-24s %-10s %6s %9s %8s %8s %8s\n' film preset crf bytes psnr ssim seconds
for film in "$@"; do
  encode "$film" medium 16
  wanted=$(size)
  for preset in superfast veryfast faster fast medium slow; do
    low=12 high=22
    for _ in 1 2 3 4 5 6; do
      crf=$(awk -v a="$low" -v b="$high" 'BEGIN { printf "%.2f", (a + b) / 2 }')
      encode "$film" "$preset" "$crf"
      if [ "$(size)" -gt "$wanted" ]; then low=$crf; else high=$crf; fi
    done
    printf '%-24s %-10s %6s %9s %8s %8s %8s\n' "$(basename "$film")" "$preset" "$crf" "$(size)" \
      "$(quality "$film" psnr average)" "$(quality "$film" ssim All)" "$(seconds "$film" "$preset" "$crf")"
  done
done
