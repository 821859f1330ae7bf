#!/bin/sh
# Trains a model, or continues to: runs the named stages, each for its minutes, in parallel where possible.
#
#   tools/train/all.sh [--wheels DIR] [--from BUNDLE] [--keep DIR] STAGE=MINUTES …
#
# plans                  shards of drawn plans, the planner's training data
# planner                the language model, alone
# shots                  rendered shots, while audio-vae and dit train on them
# audio-vae, dit         the audio autoencoder and the transformer
# distil, video-decoder  the transformer in fewer evaluations; the video decoder, on the transformer's latents
# export                 the bundle (any number)
#
# Each stage continues from its checkpoint in FABULA_TRAIN_CACHE (.cache/train), if there is one. --from: unpack this bundle into checkpoints first.
# --keep: copy logs and the bundle to this folder. --wheels: install the Python wheels in this folder, without a network.
set -eu
cd "$(dirname "$0")/../.."
wheels= keep= from= minutes=
while [ $# -gt 0 ]; do
    case "$1" in
        --wheels) wheels=$2; shift ;;
        --keep) keep=$2; shift ;;
        --from) from=$2; shift ;;
        *=*) minutes="$minutes $1" ;;
        *) echo "all.sh: $1 is neither an option nor STAGE=MINUTES" >&2; exit 2 ;;
    esac
    shift
done
python=python3
[ -x .venv/bin/python ] && python=.venv/bin/python
if [ -n "$wheels" ]; then
    $python -m pip install -q --no-index --no-deps --no-compile --target "$wheels/site" "$wheels"/*.whl
    export PYTHONPATH="$wheels/site"
fi
cache=${FABULA_TRAIN_CACHE:-.cache/train}
export FABULA_TRAIN_CACHE="$cache" MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 PYTHONUNBUFFERED=1
mkdir -p "$cache"

[ -z "$from" ] || $python tools/train/run.py unpack --resume "$from"

# stage NAME CHECKPOINT [OPTION …]: runs a stage if it was named, from its checkpoint if that exists.
stage() {
    name=$1 checkpoint=$2 budget=
    shift 2
    for pair in $minutes; do case "$pair" in "$name="*) budget=${pair#*=} ;; esac; done
    [ -n "$budget" ] || return 0
    [ -z "$checkpoint" ] || [ ! -e "$cache/$checkpoint" ] || set -- "$@" --resume "$cache/$checkpoint"
    echo "== $name: $budget minutes"
    $python tools/train/run.py "$name" --budget "$budget" "$@" >>"$cache/$name.out" 2>&1 || { echo "== $name failed:"; tail -n 25 "$cache/$name.out"; }
}
has_shots() { ls "$cache"/latents/shots_*.pt >/dev/null 2>&1; }

stage plans ""
stage planner planner/checkpoint.pt
case "$minutes" in *shots=* | *dit=* | *audio-vae=* | *video-decoder=*)
    $python tools/train/run.py start >>"$cache/start.out" 2>&1 || { tail -n 25 "$cache/start.out"; exit 1; } ;;
esac
stage shots "" &
until has_shots || ! jobs %1 >/dev/null 2>&1; do sleep 1; done
stage audio-vae audio_vae.pt &
stage dit dit.pt --images 0.15 &
wait
stage distil dit_distilled.pt &
stage video-decoder video_vae_final.pt &
wait
set -- --out "$cache/exported"
[ ! -e "$cache/dit_distilled.pt" ] || set -- "$@" --resume "$cache/dit_distilled.pt"
case "$minutes" in *export=*) $python tools/train/run.py export "$@" ;; esac
if [ -n "$keep" ]; then
    mkdir -p "$keep"
    cp "$cache"/*.jsonl "$cache"/*.out "$keep" 2>/dev/null || true
    [ ! -e "$cache/exported" ] || { rm -rf "$keep/bundle"; cp -r "$cache/exported" "$keep/bundle"; }
fi
