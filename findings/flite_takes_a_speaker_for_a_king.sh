#!/usr/bin/env bash
# flite reads "John I saw you" as "John the first saw you".
#
# Guess:  a speech synthesiser reads the pronoun "I" as a pronoun, and "hmm" as a hum.
# True:   after a name that kings and popes have borne (John, Henry, George, Peter, Charles, Elizabeth …) flite 2.2 takes "I" for a Roman numeral, whatever follows: its phones
#         are those of "the first". After "Part", "Act" or "Chapter" it is "one". A word without vowels is spelt: "hmm" becomes "aitch em em". With "Jane" the same line is right.
# Matters: dialogue addresses people by name. One line in a film gains a word that nobody wrote and half a second, and timing, lips and subtitles follow the wrong one. Fabula
#         writes "eye" for a lone "I", which has the same phones and durations everywhere else, and hums as words (audio/phonemes.cpp).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=2.2-5
apt-get download -qq "flite=$version" "libflite1=$version" >/dev/null 2>&1
for package in ./*.deb; do dpkg -x "$package" .; done
library=$(dirname "$(find . -name 'libflite.so.1' | head -n 1)")
echo "flite $version"

phones() {
  LD_LIBRARY_PATH=$library usr/bin/flite -voice kal -ps -t "$1" none | tail -n 1 | xargs
}

changed=0
expect() {
  local said
  said=$(phones "$1")
  echo "$1: $said"
  [ "$said" = "pau $2 pau" ] || { echo "changed: expected $2" >&2; changed=1; }
}
expect "Jane I saw you." "jh ey n ay s ao y uw"
expect "John I saw you." "jh aa n dh ax f er s t s ao y uw"
expect "John eye saw you." "jh aa n ay s ao y uw"
expect "hmm" "ey ch eh m eh m"
exit $changed
