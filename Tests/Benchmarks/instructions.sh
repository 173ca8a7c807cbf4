#!/usr/bin/env bash
# A test: user instructions and allocations per request on the loops, held against limits.json. Both repeat on a busy machine.
#
#   bash Tests/Benchmarks/instructions.sh [--profile] [--no-build]
#
# With --profile the functions that take most are printed. Exit status 1 where a limit is passed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Benchmarks/prepare.sh
need "${BUILD_PACKAGES[@]}" openssl python3 valgrind binutils
programs
case " $* " in *" --no-build "*) ;; *) release ;; esac
PYTHONPATH=Tests/Benchmarks PYTHONDONTWRITEBYTECODE=1 exec python3 -m measure.instructions "$@"
