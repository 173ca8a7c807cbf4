#!/usr/bin/env bash
# From a machine with only the Swift toolchain to a gateway that has shown what it does.
#
#   bash otel/quickstart.sh          build, run the demo, leave the gateway serving
#   bash otel/quickstart.sh --once   build and run the demo
#
# Installs what is missing from Debian, builds release, sends an agent's run through a real gateway to stand-in providers (no key
# needed) and prints the run's tree. Run it again whenever you like.
set -euo pipefail
cd "$(dirname "$0")/.."
once=false
case "${1:-}" in
  "") ;;
  --once) once=true ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
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
hopspan=$(swift build -c release --static-swift-stdlib --product hopspan --show-bin-path)/hopspan
echo "built $hopspan in $((SECONDS - started)) s"
echo

if $once; then exec "$hopspan" demo; else exec "$hopspan" demo --keep; fi
