#!/bin/sh
# A whole run of training: every stage in order, each for the minutes that it is given, each going on from the pieces of an earlier run if there are any.
#
#   tools/train/all.sh [--wheels DIR] [--keep DIR] [--from BUNDLE] [STAGE=MINUTES …]
#
# STAGE is planner, audio-vae, video-vae, latents, dit, distil, made or video-decoder; the defaults are about the minutes that
# the shipped bundle took. --keep: where the checkpoints
# go in files of at most 15 MiB, with the logs, their plots and the bundle (.cache/train/kept). --wheels: a folder of Python wheels to install without a network.
# --from: a bundle to train further, which is all that need be carried from one machine to the next; only the stages that are named run.
set -eu
cd "$(dirname "$0")/../.."
wheels= from= keep=.cache/train/kept
given=
for argument; do
    case "$argument" in
        --wheels | --keep | --from) ;;
        *=*) given="$given $argument" ;;
        *) case "${previous-}" in
               --wheels) wheels=$argument ;;
               --keep) keep=$argument ;;
               --from) from=$argument ;;
               *) echo "all.sh: $argument is neither an option nor STAGE=MINUTES" >&2; exit 2 ;;
           esac ;;
    esac
    previous=$argument
done
minutes=$given
[ -n "$from" ] || minutes="planner=69 audio-vae=80 video-vae=0 latents=18 dit=290 distil=17 made=3 video-decoder=90 $given"
python=python3
if [ -n "$wheels" ]; then
    [ -x .venv/bin/python ] || python3 -m venv --system-site-packages .venv
    .venv/bin/python -m pip install --quiet --no-index --find-links "$wheels" -r tools/train/requirements.txt
fi
[ -x .venv/bin/python ] && python=.venv/bin/python
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000

stage() { # STAGE CHECKPOINT START: goes on from the pieces of CHECKPOINT, or starts from the file START if one is named
    name=$1 checkpoint=$2 start=${3-} budget=
    for pair in $minutes; do case "$pair" in "$name="*) budget=${pair#*=} ;; esac; done
    if [ -n "$from" ] && [ -z "$budget" ]; then return; fi
    set -- --budget "${budget:-0}" --pieces "$keep"
    if [ -n "$checkpoint" ] && [ -e "$keep/$checkpoint.00" ]; then set -- "$@" --resume "$keep/$checkpoint"
    elif [ -n "$start" ]; then set -- "$@" --resume "$start"; fi
    echo "== $name: $budget minutes"
    "$python" tools/train/run.py "$name" "$@"
}
if [ -n "$from" ]; then "$python" tools/train/run.py unpack --resume "$from"; fi
stage planner checkpoint.pt
stage audio-vae audio_vae.pt
stage video-vae video_vae.pt
if [ -z "$from" ]; then stage freeze ""; fi
stage latents ""
stage dit dit.pt "${from:+.cache/train/dit.pt}"
stage distil dit_distilled.pt .cache/train/dit.pt
stage made "" .cache/train/dit.pt
stage video-decoder video_vae_final.pt "${from:+.cache/train/video_vae_final.pt}"
transformer=.cache/train/dit.pt
[ ! .cache/train/dit_distilled.pt -nt "$transformer" ] || transformer=.cache/train/dit_distilled.pt
"$python" tools/train/run.py export --resume "$transformer" --out "$keep/bundle"
"$python" tools/train/plot.py --out "$keep"
