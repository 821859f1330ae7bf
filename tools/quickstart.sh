#!/usr/bin/env bash
# From a bare Debian 12 machine to a film:   tools/quickstart.sh "A fox runs through a forest at night. It says: hello moon."
# Installs what is missing (apt, as root or through sudo), builds, renders, prints the film's path and the time of each stage.
# Further arguments go to `fabula render`, for example: -o moon.mp4 --seed 7
# Each run leaves another film: a name that is taken gets a number. With -o a film that is there is refused; -y replaces it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/setup.sh

if [ $# -eq 0 ] || [ "$1" = --help ] || [ "$1" = -h ]; then
  sed -n '2,5s/^# //p' tools/quickstart.sh
  exit $(( $# == 0 ? 2 : 0 ))
fi

timed install install_packages
timed build build cpu-release fabula
timed render build/cpu-release/bin/fabula render "$@"
printf '%s\n' "${stages[@]}" >&2
