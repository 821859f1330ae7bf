#!/usr/bin/env bash
# What NVIDIA's own cuDNN makes of our attention's descriptors, on a machine without a card: kernels/cudnn.cpp asks it for plans for made-up
# devices, by numbers that are public. In the driver's place is a library whose functions do nothing: cuDNN compiles its kernels, nobody runs
# them.
#   tools/bench/cudnn_without_card/run.sh [LIBCUDNN]     default: the libcudnn.so.9 in CUDA's folder
# Needs cuDNN 9.13.1 or later with the libraries it comes with, and the toolkit's stub of the driver.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cuda=$(cd "$(dirname "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)")/.." && pwd -P)
export CUDNN=${1:-$(find -L "$cuda" -name libcudnn.so.9 -print -quit)}
driver=$(find -L "$cuda" -path '*stubs/libcuda.so' -print -quit)
[ -e "$CUDNN" ] && [ -e "$driver" ] || { echo "run.sh: there is no libcudnn.so.9, or no stub of the driver" >&2; exit 66; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$driver" | awk '
  BEGIN { print "static char none[4096];" }
  $2 != "T" { next }
  $3 == "cuInit" { print "int cuInit(unsigned flags) { return 100; }"; next }  # there is no device
  $3 == "cuDriverGetVersion" { print "int cuDriverGetVersion(int* version) { *version = 13000; return 0; }"; next }
  $3 ~ /^cuGetError(String|Name)$/ { print "int " $3 "(int error, const char** text) { *text = \"none\"; return 0; }"; next }
  $3 ~ /^cu(LibraryLoadData|LibraryGetKernel|KernelGetFunction|ModuleLoadData|ModuleGetFunction)$/ {
    print "int " $3 "(void** made) { *made = none; return 0; }"; next }
  { print "int " $3 "(void) { return 0; }" }' >"$work/driver.c"
cc -w -shared -fPIC -o "$work/libcuda.so.1" "$work/driver.c"
c++ -std=c++20 -I"$root" -shared -fPIC -o "$work/libcudnn.so.9" "$here/between.cpp" -ldl
c++ -std=c++20 -I"$root" -I"$cuda/include" -o "$work/plans" "$here/plans.cpp" "$root/kernels/cudnn.cpp" -ldl

# device NAME COMPUTE MULTIPROCESSORS SHARED_BYTES L2_BYTES: shared memory that a block may ask for.
device() {
  echo "$1, compute $2"
  cat >"$work/device.json" <<JSON
{"deviceName": "$1", "deviceVer": $2, "multiProcessorCount": $3, "maxSharedMemoryPerBlockOptin": $4, "l2CacheSize": $5, "driverVer": 13000,
 "cudaDeviceId": 0, "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1, "totalGlobalMem": 42949672960, "warpSize": 32,
 "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
 "regsPerBlock": 65536, "maxRegistersPerSM": 65536, "maxCtasPerSM": 32, "maxSharedMemoryPerBlock": 49152,
 "reservedSharedMemoryPerBlock": 1024, "smClockRateKHz": 1980000, "memClockRateKHz": 2619000,
 "memoryBusWidth": 5120, "smCountOrigin": 0, "oversizedSharedMemoryPerBlock": 0}
JSON
  DEVICE=$work/device.json LD_LIBRARY_PATH=$work:$(dirname "$CUDNN"):$cuda/lib "$work/plans"
}
device "A100" 800 108 166912 41943040
device "RTX 4090" 890 128 101376 75497472
device "H100" 900 132 232448 52428800
device "B200" 1000 148 232448 132644864
device "RTX 5090" 1200 170 101376 100663296
