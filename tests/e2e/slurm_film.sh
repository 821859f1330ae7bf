#!/bin/bash
# A film through a real Slurm on this machine: an array of shots into one store, one task killed with -9 and requeued, one node drained
# meanwhile, the film assembled by dependency. It must be the film of a single render, byte for byte.
#   slurm_film.sh FABULA REPOSITORY DIR      (an empty folder)
set -eu

fabula=$1 repository=$2 here=$3
cd "$here"
export XDG_CACHE_HOME=$here/cache
options=(--steps 40 --scale 1 --threads 1 --precision fp32 --seed 7)
"$fabula" plan "A fox runs through a forest at night. Then a pig spins in the city. Then a crab waves on the beach. Then a penguin jumps on the beach." \
  --oracle -o film.json >/dev/null
"$fabula" submit film.json --emit slurm -o farm "${options[@]}"
"$fabula" render film.json -o single.mp4 --no-store -q "${options[@]}"

bash "$repository/tools/farm/slurm_here.sh" start "$here/slurm"
trap 'bash "$repository/tools/farm/slurm_here.sh" stop "$here/slurm"' EXIT
export SLURM_CONF=$here/slurm/slurm.conf
say() { echo "$(date +%T) $*"; }

read -r shots film <<<"$(sh farm/submit.sh)"
say "submitted: shots $shots, film $film"

# One task is killed as the kernel kills what needs too much memory: -9, to the process alone.
killed=
for _ in $(seq 300); do
  for pid in $(pgrep -f -- 'render plan.json --shots'); do
    [ "$(readlink "/proc/$pid/cwd")" = "$here/farm" ] && [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$fabula")" ] || continue
    killed=$(tr '\0' ' ' <"/proc/$pid/cmdline")
    kill -9 "$pid"
    break
  done
  [ -n "$killed" ] && break
  sleep 0.2
done
[ -n "$killed" ] || { say "nothing was there to be killed"; exit 1; }
say "killed -9: $killed"
scontrol update NodeName=here2 State=DRAIN Reason=test
say "drained: $(sinfo -h -o '%n %T' -n here2 -N)"

for _ in $(seq 600); do
  # Slurm lets a requeued job wait for two minutes; this test does not.
  squeue -h -t PENDING -o '%i %r' | while read -r job reason; do
    [ "$reason" = BeginTime ] && scontrol update JobId="$job" StartTime=now && say "goes on at once: $job"
  done || true
  [ -z "$(squeue -h -o %i)" ] && break
  sleep 1
done
for job in $(scontrol show job -o "$shots" | sed -n 's/.*ArrayTaskId=\([0-9]*\) .*/\1/p' | sort -n); do
  say "task $job: $(scontrol show job -o "${shots}_$job" | tr ' ' '\n' | grep -E '^(JobState|Restarts|ExitCode|NodeList)=' | tr '\n' ' ')"
done
say "film: $(scontrol show job -o "$film" | tr ' ' '\n' | grep -E '^(JobState|ExitCode)=' | tr '\n' ' ')"
grep -h requeued farm/logs/*.log
cmp single.mp4 farm/*.mp4
say "the farm's film is the single render's, byte for byte: $(sha256sum <single.mp4 | cut -c 1-16)"
