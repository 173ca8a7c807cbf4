#!/usr/bin/env bash
# Compiles the .proto files beside it to C for the target COTLP: sources to Sources/C/OTLP, headers to its include/.
# Needs protoc-c (Debian: protobuf-c-compiler). Usage: bash otel/proto/generate.sh [DIRECTORY instead of Sources/C/OTLP]
set -euo pipefail
cd "$(dirname "$0")"
target=${1:-../../Sources/C/OTLP}
mkdir -p "$target/include"
protoc-c --c_out="$target" attribute.proto common.proto resource.proto trace.proto trace_service.proto rpc.proto
mv "$target"/*.pb-c.h "$target/include/"
