# Shared by quickstart.sh and test.sh: installs what is missing and builds a preset. Sourced, not run.

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

# Runs a command and records how long it took as "NAME seconds" in the array stages.
stages=()
timed() {
  local name=$1 start
  shift
  start=$(date +%s.%N)
  "$@"
  stages+=("$(printf '%-8s %7.1f s' "$name" "$(echo "$(date +%s.%N) $start" | awk '{print $1 - $2}')")")
}

# missing_packages LIST: those of a list that are not installed.
missing_packages() {
  local package
  grep -v '^#' "$1" | while read -r package; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

# install_packages [LIST]
install_packages() {
  local missing as_root=()
  missing=$(missing_packages "${1:-tools/packages.txt}")
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "fabula: these Debian packages are missing and there is neither root nor sudo to install them:" $missing >&2
      return 69
    }
    as_root=(sudo)
  fi
  say "Installing Debian packages:" $missing
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086  # one word a package
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# build PRESET [TARGET…]: configures once, then builds what has changed.
build() {
  local preset=$1 log
  shift
  log=build/$preset/build.log
  mkdir -p "build/$preset"
  [ -f "build/$preset/build.ninja" ] || {
    say "Configuring $preset"
    cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; return 70; }
  }
  say "Building $preset"
  # Only the progress counter is shown; the whole log when it fails.
  ninja -C "build/$preset" "$@" >"$log" 2>&1 || { tail -n 60 "$log" >&2; echo "fabula: the build failed; the whole log is in $log" >&2; return 70; }
}
