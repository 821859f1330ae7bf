#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test; ends with ctest's own summary.
#   tools/test.sh             the release build
#   tools/test.sh cpu-asan    another preset (cpu-asan, cpu-tsan, cpu-debug)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup.sh

preset=${1:-cpu-release}
install_packages
command -v nvcc >/dev/null || say "No CUDA compiler: the CUDA kernels are neither built nor tested here"
build "$preset"
ctest --preset "$preset" --parallel "$(nproc)"
