#!/usr/bin/env bash
# From a machine with only the Swift toolchain to a gateway that has shown what it does.
#
#   bash otel/quickstart.sh                build, run the demo, leave the gateway serving on ports 8700 and 8701
#   bash otel/quickstart.sh --port 9700    the same on other ports: this one, and the next for the api
#   bash otel/quickstart.sh --once         build and run the demo
#
# Installs what is missing with apt, builds release, sends an agent's run through a real gateway to stand-in providers (no key needed)
# and prints the run's tree. --port and --store go to hopspan demo. Run it again whenever you like.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
once=false port="" demo=()
while [ $# -gt 0 ]; do
  case "$1" in
    --once) once=true ;;
    --port=* | --store=*) demo+=("$1") ;;
    --port | --store) [ $# -gt 1 ] || usage; demo+=("$1=$2"); shift ;;
    *) usage ;;
  esac
  shift
done
for word in ${demo[@]+"${demo[@]}"}; do case "$word" in --port=*) port=${word#--port=} ;; esac; done
[[ $port =~ ^[0-9]{0,5}$ ]] || usage

# Before some minutes of building: what would stop the gateway afterwards.
if [ -z "$port" ] && ! $once; then port=8700; fi
if [ "${port:-0}" -ne 0 ]; then
  for needed in "$port" $((port + 1)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$needed") 2>/dev/null; then
      echo "port $needed is in use: stop what listens there, or take other ports: bash otel/quickstart.sh --port 9700" >&2
      exit 1
    fi
  done
fi

. otel/packages.sh
need "${BUILD_PACKAGES[@]}"

echo "building release (the first time takes some minutes)"
started=$SECONDS
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ -t 1 ]; then
  swift build -c release --static-swift-stdlib --product hopspan 2>&1 | tee "$log" | while IFS= read -r line; do
    printf '\r\033[K%4ds  %s' $((SECONDS - started)) "$(printf '%s' "$line" | cut -c1-70)"
  done || true
  printf '\r\033[K'
else
  swift build -c release --static-swift-stdlib --product hopspan >"$log" 2>&1 || true
fi
grep -q 'complete!' "$log" || { tail -n 40 "$log" >&2; exit 1; }
rm -f "$log"
hopspan=$(swift build -c release --static-swift-stdlib --product hopspan --show-bin-path)/hopspan
echo "built $hopspan in $((SECONDS - started)) s"
echo

# Its last lines say what to type next, and how a shell finds hopspan.
if $once; then exec "$hopspan" demo ${demo[@]+"${demo[@]}"}; else exec "$hopspan" demo --keep ${demo[@]+"${demo[@]}"}; fi
