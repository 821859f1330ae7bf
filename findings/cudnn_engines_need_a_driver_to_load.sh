#!/usr/bin/env bash
# cuDNN's library of compiled kernels loads without NVIDIA's driver in one release of version 9, and not in a later one.
#
# Guess:  all of cuDNN 9 loads on a machine without a driver, where plans can be made ahead or just be counted, as its graph library does; the driver is asked for when something runs.
# True:   libcudnn_engines_runtime_compiled.so.9 of 9.19.0 names no driver among the libraries it needs. That of 9.28.1, which the same programs open by the same name, needs
#         libcuda.so.1 to load; the graph library beside it still does not.
# Matters: what opens libcudnn.so.9 and makes a graph on a machine without a driver has not shown that an engine loads there. Fabula opens cuDNN by name, keeps the reason of a plan that
#         cannot be made and attends with its own kernels (kernels/cudnn.cpp).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' '; }
for version in 9.19.0.56 9.28.1.4; do
  venv/bin/pip download -q --no-deps --only-binary :all: -d wheel nvidia-cudnn-cu13==$version
  venv/bin/python -m zipfile -e wheel/*.whl unpacked
  for library in graph engines_runtime_compiled; do
    needed unpacked/nvidia/cudnn/lib/libcudnn_$library.so.9 >"$version.$library"
    echo "cuDNN $version, libcudnn_$library.so.9 needs: $(cat "$version.$library")"
  done
  rm -rf wheel unpacked
done
has() { grep -q 'libcuda\.so' "$1"; }
if has 9.19.0.56.engines_runtime_compiled; then echo "changed: 9.19.0's engines were expected to need no driver" >&2; exit 1; fi
if ! has 9.28.1.4.engines_runtime_compiled; then echo "changed: 9.28.1's engines were expected to need the driver" >&2; exit 1; fi
if has 9.28.1.4.graph; then echo "changed: 9.28.1's graph library was expected to need no driver" >&2; exit 1; fi
