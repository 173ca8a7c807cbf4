#!/usr/bin/env bash
# Feeds the readers of foreign bytes with libFuzzer, under the address sanitizer. Inputs that once crashed come first.
#
#   bash Tests/Fuzz/run.sh                 5 seconds a target
#   bash Tests/Fuzz/run.sh 60              a minute a target
#   bash Tests/Fuzz/run.sh 60 json otlp    these only
#
# A new crasher is left under Crashers/<target>/ and its trace printed; it stays there as a fixture once the fault is mended.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-5}
[ $# -gt 0 ] && shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(head chunked events amazon-events context json otlp agent-card a2a)
out=.build/fuzz
mkdir -p "$out/COTLP"

# The settings of Package.swift, with the fuzzer's instruments. Only HTTP's readers are taken: they import no other room, and of C only zlib.
flags=(-O -wmo -parse-as-library -swift-version 6 -strict-memory-safety -enable-experimental-feature Lifetimes -sanitize=fuzzer,address -I "$out"
  -I Sources/C/ProtobufC -I Sources/C/Zlib)
for feature in NonisolatedNonsendingByDefault ExistentialAny MemberImportVisibility InternalImportsByDefault; do flags+=(-enable-upcoming-feature "$feature"); done
printf 'module COTLP {\n    umbrella "%s"\n    export *\n}\n' "$PWD/Sources/C/OTLP/include" >"$out/COTLP/module.modulemap"
# room NAME SOURCE…: a module and its object file, unless both are newer than all sources.
room() {
  local name=$1 source fresh=true
  shift
  for source in "$@" Tests/Fuzz/run.sh; do [ "$out/$name.o" -nt "$source" ] || fresh=false; done
  $fresh || swiftc "${flags[@]}" -module-name "$name" -emit-module -emit-module-path "$out/$name.swiftmodule" -c "$@" -o "$out/$name.o" || exit 1
}
room JSON Sources/JSON/*.swift Sources/JSON/Collecting/*.swift
room Tracing Sources/Tracing/*.swift
room HTTP Sources/HTTP/{HTTP1,Messages,EventStream}/*.swift
room OTLP Sources/OTLP/*.swift
room Content Sources/Content/*.swift
room JSONRPC Sources/JSONRPC/*.swift
room A2A Sources/A2A/*/*.swift
for source in Sources/C/OTLP/*.c; do
  clang -O1 -std=c2x -fsanitize=fuzzer-no-link,address -ISources/C/OTLP/include -c "$source" -o "$out/$(basename "$source" .c).o" || exit 1
done
swiftc "${flags[@]}" -module-name Fuzz Tests/Fuzz/*.swift "$out"/*.o -lprotobuf-c -lz -o "$out/fuzz" 2>"$out/log" || { cat "$out/log"; exit 1; }

passed=0 failed=0
# attempt NAME COMMAND…: one line, and the trace where it fails.
attempt() {
  local name=$1
  shift
  if "$@" >"$out/log" 2>&1; then
    passed=$((passed + 1))
    echo "$name: ok$(sed -nE 's/^Done ([0-9]+) runs in ([0-9]+) second.*/, \1 inputs in \2 s/p' "$out/log")"
  else
    failed=$((failed + 1))
    echo "$name: FAILED"
    grep -vE '^(#[0-9]+\s+(NEW|REDUCE|pulse|INITED|RELOAD)|INFO)' "$out/log" | head -n 60
  fi
}
# libFuzzer tells of a crash; the runtime's own crash handler would stand in its way.
export ASAN_OPTIONS=detect_leaks=1 SWIFT_BACKTRACE=enable=no
for target in "${targets[@]}"; do
  export HOPSPAN_FUZZ=$target
  crashers=(Tests/Fuzz/Crashers/"$target"/*)
  if [ -e "${crashers[0]}" ]; then attempt "$target, old crashers" "$out/fuzz" "${crashers[@]}"; fi
  mkdir -p "$out/found/$target" "Tests/Fuzz/Crashers/$target"
  attempt "$target" "$out/fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -verbosity=1 -print_final_stats=0 \
    -artifact_prefix="Tests/Fuzz/Crashers/$target/" "$out/found/$target" "Tests/Fuzz/Corpus/$target"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
