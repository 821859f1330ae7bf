#!/usr/bin/env bash
# What to do with a borrowed CUDA card, in 15 minutes: checks first, then figures, each step with its own time limit. A step that fails is
# written down, and the next one follows.
#   tools/bench/flight.sh pack FOLDER   at home, where nvcc is: builds, and copies programs, their libraries, goldens and a model to FOLDER
#   FOLDER/flight.sh fly                at the card: runs everything and leaves FOLDER/flight.md, a table for docs/results/
set -uo pipefail

readonly programs=(fabula kernels_test golden_check h3_bench cuda_bench)
readonly goldens=(audio_vae transformer transformer_patch4 vae vae_ratio8 qwen3 qwen3_moe_mixed qwen3_vl_images)

pack() {
  local folder=$1 root program
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  command -v nvcc >/dev/null || { echo "flight.sh: no nvcc: this build would have no CUDA kernels" >&2; return 69; }
  set -e
  (cd "$root" && cmake --preset cpu-release -DFABULA_CUDA=ON >/dev/null && cmake --build --preset cpu-release --target "${programs[@]}")
  mkdir -p "$folder"/{bin,lib,share/fabula/models,goldens}
  for program in "${programs[@]}"; do
    cp "$root/build/cpu-release/bin/$program" "$folder/bin/"
    # The C library stays at home: it belongs to the loader of the machine.
    ldd "$folder/bin/$program" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | grep -v -E '/(libc|libm|libdl|librt|libpthread)\.so' | xargs -r cp -L -t "$folder/lib"
  done
  cp -r "$root/assets/models/nano" "$folder/share/fabula/models/"
  for part in "${goldens[@]}"; do cp -r "$root/tests/goldens/$part" "$folder/goldens/"; done
  mkdir -p "$folder/tools" && cp -r "$root/tools/train" "$folder/tools/"
  cp "${BASH_SOURCE[0]}" "$folder/flight.sh"
  echo "$folder is ready: $(du -sh "$folder" | cut -f1)"
}

# step SECONDS "WHAT" COMMAND …: one row of the table and a file of all that was printed. The last line of the output is what is reported,
# or the lines that begin with | where there are any.
step() {
  local limit=$1 what=$2 log start rc
  shift 2
  log="$here/logs/${what//[^a-zA-Z0-9]/_}.log"
  echo "== $what" >&2
  start=$(date +%s)
  timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
  rc=$?
  local result=passed
  [ $rc -eq 0 ] || result="failed ($rc)"
  [ $rc -ne 124 ] || result="not done within $limit s"
  printf '| %s | %s | %s s | %s |\n' "$what" "$result" "$(($(date +%s) - start))" "$(tail -n 1 "$log" | tr '|' '/' | cut -c1-160)" >>"$table"
  grep '^|' "$log" >>"$figures" || true
  return $rc
}

skip() { printf '| %s | skipped | | %s |\n' "$1" "$2" >>"$table"; }

plan() { "$here/bin/fabula" plan "A fox runs through the forest." --model "$model" -y --stats --device "$1" -o "$here/plan_${1%%:*}.json"; }
# Of one plan, so that the films differ by what was computed alone.
film() { "$here/bin/fabula" render "$here/plan_cpu.json" --model "$model" --no-store -y --crf 0 --device "$1" -o "$here/film_${1%%:*}.mp4"; }
psnr() { ffmpeg -nostdin -hide_banner -i "$here/film_cpu.mp4" -i "$here/film_cuda.mp4" -lavfi psnr -f null - 2>&1 | grep -o 'PSNR.*'; }
speaks() { command -v "$1" >/dev/null || { skip "$2" "$1 is not installed"; return 1; }; }

checks() {
  step 60 "fabula doctor" "$here/bin/fabula" doctor --model "$model"
  step 90 "parity of every entry" "$here/bin/kernels_test" --gtest_filter='CudaParity.*'
  local tool
  for tool in memcheck racecheck synccheck initcheck; do
    speaks compute-sanitizer "compute-sanitizer $tool" || continue
    step 90 "compute-sanitizer $tool" compute-sanitizer --tool $tool --error-exitcode 9 "$here/bin/kernels_test" --gtest_filter='CudaParity.*'
  done
  step 60 "goldens, fp32" "$here/bin/golden_check" "$here/goldens" --kernels cuda
  step 60 "goldens, bf16" "$here/bin/golden_check" "$here/goldens" --kernels cuda --precision bf16
}

figures_of() {
  step 90 "entries at the sizes of H3, both attentions, and graphs" "$here/bin/cuda_bench"
  step 60 "parts of nano on the processor" "$here/bin/h3_bench" "$model"
  local precision
  for precision in fp32 bf16; do
    step 30 "parts of nano on the card, $precision" "$here/bin/h3_bench" "$model" --device cuda --precision $precision
  done
  if python3 -c 'import torch, diffusers' 2>/dev/null; then
    step 60 "the same parts in diffusers" python3 "$here/tools/train/run.py" bench-reference "$model" --device cuda --precision bf16
  else
    skip "the same parts in diffusers" "PyTorch or diffusers is not installed"
  fi
  step 60 "plan on the processor" bash -c "plan cpu"
  step 60 "plan on the card" bash -c "plan cuda"
  step 10 "the two plans are the same" cmp "$here/plan_cpu.json" "$here/plan_cuda.json"
  step 90 "film on the processor" bash -c "film cpu"
  step 60 "film on the card" bash -c "film cuda"
  if speaks ffmpeg "PSNR of the two films"; then step 30 "PSNR of the two films" bash -c psnr; fi
}

fly() {
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  model="$here/share/fabula/models/nano" table="$here/.steps" figures="$here/.figures"
  export here model
  command -v nvidia-smi >/dev/null || { echo "flight.sh: no nvidia-smi: there is no card here" >&2; return 69; }
  mkdir -p "$here/logs" && : >"$table" && : >"$figures"
  checks
  figures_of
  {
    echo "# A flight, $(date -u +%F)"
    echo
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader
    "$here/bin/fabula" version | head -n 1
    printf '\n| step | result | time | last line |\n|---|---|---|---|\n'
    cat "$table"
    printf '\n'
    cat "$figures"
  } >"$here/flight.md"
  cat "$here/flight.md"
  ! grep -q -E '\| (failed|not done)' "$table"
}

export -f plan film psnr  # timeout starts programs alone
case ${1:-} in
  pack) pack "${2:?flight.sh pack FOLDER}" ;;
  fly) fly ;;
  *) sed -n '2,5p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
