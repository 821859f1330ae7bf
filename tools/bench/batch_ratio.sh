#!/bin/sh
# How long `fabula batch` takes for 20 films, against as many single renders in the same run.
# Usage: tools/bench/batch_ratio.sh BATCH_PROGRAM [SINGLE_PROGRAM]      (the second: another build to compare with)
# SINGLE_OPTIONS replaces --no-store for a build that has no store.
# Ten single renders come before the batch and ten after it, so that a machine that gets busier favours neither.
set -eu
batch=$1
single=${2:-$1}
single_options=${SINGLE_OPTIONS---no-store}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for actor in fox pig penguin crab; do
  for scene in "runs through the forest" "waits on the beach" "spins in the city at night" "jumps" "walks on the beach. It says: hello moon"; do
    echo "A $actor $scene."
  done
done > "$folder/prompts.txt"

seconds() { date +%s.%N; }
render() { # FIRST LAST
  sed -n "$1,$2p" "$folder/prompts.txt" | while read -r prompt; do
    "$single" render "$prompt" -q $single_options -o "$folder/single.mp4" -y --model "$model" < /dev/null > /dev/null
  done
}
model=$(cd "$(dirname "$0")/../../assets/models/nano" && pwd)
t0=$(seconds)
render 1 10
t1=$(seconds)
"$batch" batch "$folder/prompts.txt" -o "$folder/films" -q --no-store --model "$model" > /dev/null
t2=$(seconds)
render 11 20
t3=$(seconds)
awk -v a="$t0" -v b="$t1" -v c="$t2" -v d="$t3" \
  'BEGIN { single = b - a + d - c; printf "20 single renders %.1f s, batch %.1f s, ratio %.2f\n", single, c - b, (c - b) / single }'
