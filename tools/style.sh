#!/usr/bin/env bash
# Refuses code that is not in the house's form.
#   tools/style.sh                 every file against .clang-format and tools/ruff.toml; clang-tidy's remarks on the files changed since HEAD~1
#   FABULA_BASE=main tools/style.sh    clang-tidy on the files changed since another commit
#   tools/style.sh FILE.cpp …      clang-tidy on these files alone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup.sh

# Other releases of clang-format lay code out differently; Debian 12 has 14.
readonly clang_format=clang-format-14 clang_tidy=clang-tidy-14 ruff=ruff==0.17.6
# One file takes 8 to 30 seconds.
readonly most_tidied=4

tidy() {
  [ -f build/cpu-release/compile_commands.json ] || cmake --preset cpu-release >/dev/null
  say "clang-tidy: $*"
  # g++'s -Wno-restrict means nothing to clang.
  "$clang_tidy" -p build/cpu-release --quiet --warnings-as-errors='*' --extra-arg=-Wno-unknown-warning-option "$@"
}

check_format() {
  local differing
  differing=$(git ls-files '*.c' '*.cpp' '*.h' '*.cu' '*.cuh' | while read -r file; do
    "$clang_format" "$file" | cmp -s - "$file" || echo "$file"
  done)
  [ -z "$differing" ] || {
    echo "fabula: these files differ from .clang-format; run $clang_format -i on them:" $differing >&2
    return 1
  }
}

check_python() {
  local venv=.cache/ruff
  [ -x "$venv/bin/ruff" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q "$ruff"; } || {
    say "ruff cannot be installed from PyPI: the Python tools are not checked"
    return 0
  }
  "$venv/bin/ruff" check -q tools && "$venv/bin/ruff" check -q --config tools/ruff.toml examples
}

changed_sources() {
  git rev-parse -q --verify "${FABULA_BASE:-HEAD~1}" >/dev/null || return 0  # a shallow clone
  git diff --name-only --diff-filter=d "${FABULA_BASE:-HEAD~1}" -- '*.cpp'
}

install_packages tools/packages_style.txt
if [ $# -gt 0 ]; then
  tidy "$@"
  exit
fi
say "clang-format and ruff"
check_format
check_python
mapfile -t changed < <(changed_sources)
[ ${#changed[@]} -le $most_tidied ] || say "clang-tidy looks at $most_tidied of ${#changed[@]} changed files; name others to tools/style.sh"
# Its remarks are for the author: unlike the form, they do not refuse a change.
[ ${#changed[@]} -eq 0 ] || tidy "${changed[@]:0:most_tidied}" || say "clang-tidy has remarks, above"
