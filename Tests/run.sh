#!/usr/bin/env bash
# Runs every test: rooms, then the whole program with real clients. Installs what the tests need. One closing line.
#
#   bash Tests/run.sh               everything that belongs to every change
#   bash Tests/run.sh --backends    also Phoenix and MLflow, installed from PyPI: the exported runs are read back from them
#   bash Tests/run.sh --sanitize    also every room under the thread sanitizer, and the fuzzers for longer
#   bash Tests/run.sh --filter X    only the room tests whose name matches X
set -uo pipefail
cd "$(dirname "$0")/.."
sanitize=false backends=false filter=""
while [ $# -gt 0 ]; do
  case "$1" in
    --backends) backends=true ;;
    --sanitize) sanitize=true ;;
    --filter) filter=${2:?--filter needs a name}; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done
. otel/packages.sh
need "${BUILD_PACKAGES[@]}" protobuf-c-compiler openssl sqlite3 curl python3 python3-venv

passed=0 failed=0
# count FILE: adds what the closing lines of swift test, pytest and the fuzzers in FILE say.
count() {
  local line total
  total=$(grep -oE 'Test run with [0-9]+ tests?' "$1" | grep -oE '[0-9]+' | tail -n 1)
  if [ -n "$total" ]; then
    line=$(grep -E '^✘ Test ' "$1" | grep -v '^✘ Test run' | grep -c ' failed after ')
    passed=$((passed + total - line)) failed=$((failed + line))
  fi
  line=$(grep -E '^(=+ )?[0-9]+ (passed|failed|error).* in [0-9.]+s' "$1" | tail -n 1)
  for total in $(grep -oE '[0-9]+ passed' <<<"$line" | grep -oE '[0-9]+'); do passed=$((passed + total)); done
  for total in $(grep -oE '[0-9]+ (failed|errors?)' <<<"$line" | grep -oE '[0-9]+'); do failed=$((failed + total)); done
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1)
  if [ -n "$line" ]; then passed=$((passed + ${line%% *})) failed=$((failed + $(grep -oE '[0-9]+ failed' <<<"$line" | grep -oE '[0-9]+'))); fi
}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
# Each test clears up what it puts into temporary files.
mkdir "$log/tmp"
nothing_left() {
  local left
  left=$(find "$log/tmp" -mindepth 1 -maxdepth 1 -name 'hopspan-*' -printf '%f ')
  if [ -z "$left" ]; then echo "1 passed, 0 failed"; else echo "error: left behind: $left"; echo "0 passed, 1 failed"; return 1; fi
}
# The store's queue, the metrics and a loop's foreign jobs, used by all their threads at once.
stress() { swift build --sanitize=thread --product Stress --scratch-path .build/tsan && .build/tsan/debug/Stress; }
# step NAME COMMAND…: runs it, shows it, counts it; a step that fails without a failed test is one.
step() {
  local name=$1 before=$failed status
  shift
  echo "== $name"
  "$@" >"$log/out" 2>&1
  status=$?
  count "$log/out"
  if [ $status -ne 0 ]; then
    grep -E '✘|Fatal|crashed|error:' "$log/out" | head -n 60
    echo "-- the end of what it printed"
    grep -vE '^(◇|✔|\[[0-9]+/)' "$log/out" | tail -n 100
    [ $failed -gt $before ] || failed=$((failed + 1))
  else
    grep -E 'Test run with|passed.* in |Build complete|Build of product' "$log/out" | tail -n 3
  fi
  return $status
}

# python_packages FOLDER FILE: a virtual environment with what FILE pins, made anew when FILE changes. Without byte code: of the
# hundreds of megabytes that back ends bring, a test imports little.
python_packages() {
  cmp -s "$2" "$1/requirements.txt" && return
  echo "== python packages of $2"
  rm -rf "$1"
  python3 -m venv "$1" && timeout 900 "$1/bin/pip" -q install --no-compile -r "$2" && cp "$2" "$1/requirements.txt"
}

step "build (debug)" swift build --build-tests || { echo "$passed passed, $failed failed"; exit 1; }
# A crash is told by the thread that crashed, not by a hundred others.
export SWIFT_BACKTRACE=threads=crashed,registers=none,images=none,color=no
step "rooms" env TMPDIR="$log/tmp" swift test --skip-build ${filter:+--filter "$filter"}
step "temporary files" nothing_left
if [ -z "$filter" ]; then
  if step "build (release)" swift build -c release --static-swift-stdlib --product hopspan; then
    python_packages .build/venv Tests/EndToEnd/requirements.txt
    python_packages .build/venv-mcp-1 Tests/EndToEnd/requirements-mcp-1.txt
    python_packages .build/venv-a2a-0 Tests/EndToEnd/requirements-a2a-0.txt
    python_packages .build/venv-a2a-1 Tests/EndToEnd/requirements-a2a-1.txt
    step "the whole program" .build/venv/bin/pytest -q -p no:cacheprovider Tests/EndToEnd
    if $backends; then
      python_packages .build/venv-phoenix Tests/Backends/requirements-phoenix.txt
      python_packages .build/venv-mlflow Tests/Backends/requirements-mlflow.txt
      # Interrupted, pytest still ends the back ends.
      step "back ends" timeout -s INT -k 60 900 .build/venv/bin/pytest -q -p no:cacheprovider Tests/Backends
    fi
  fi
fi
if [ -z "$filter" ]; then step "instructions and allocations on the loops" bash Tests/Benchmarks/instructions.sh --no-build; fi
if [ -z "$filter" ]; then step "fuzzers" bash Tests/Fuzz/run.sh "$($sanitize && echo 60 || echo 5)"; fi
if [ -z "$filter" ]; then step "what threads share, under the thread sanitizer" stress; fi
if $sanitize; then step "rooms, under the thread sanitizer" env TSAN_OPTIONS="suppressions=$PWD/Tests/thread-sanitizer.txt" swift test --sanitize=thread --scratch-path .build/tsan ${filter:+--filter "$filter"}; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
