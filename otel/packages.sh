# Sourced by otel/quickstart.sh and Tests/run.sh: puts Debian packages in place that are missing.

# need PACKAGE…: installs what is missing; without the right to, prints the one line to run and ends.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as=(sudo); else
      echo "These packages are missing. Install them, then run this again:" >&2
      echo "  sudo apt-get update && sudo apt-get install -y ${missing[*]}" >&2
      exit 1
    fi
  fi
  echo "installing ${missing[*]}"
  if ! { "${as[@]}" apt-get update -qq && "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >/tmp/hopspan-apt.$$ 2>&1; then
    tail -n 20 /tmp/hopspan-apt.$$ >&2
    exit 1
  fi
  rm -f /tmp/hopspan-apt.$$
}

# The system libraries the gateway is built with.
BUILD_PACKAGES=(libprotobuf-c-dev zlib1g-dev libisal-dev libssl-dev libsqlite3-dev libyaml-dev)

command -v swift >/dev/null 2>&1 || {
  echo "The Swift toolchain (6.3 or newer) is missing: see https://www.swift.org/install/linux/" >&2
  exit 1
}
