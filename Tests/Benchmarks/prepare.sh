# Sourced by run.sh and instructions.sh, from the top of the repository: builds what they measure, and what they measure it with.
. otel/packages.sh

# The small programs, where one is older than its source.
programs() {
  local out=.build/benchmarks from=Tests/Benchmarks/programs name
  mkdir -p "$out"
  for name in upstream collector load streams hold sessions; do
    if [ ! "$out/$name" -nt "$from/$name.c" ] || [ "$from/sockets.h" -nt "$out/$name" ] || [ "$from/requests.h" -nt "$out/$name" ]; then
      clang -O2 -std=c2x -Wall -Wextra -Werror -o "$out/$name" "$from/$name.c" -lz
    fi
  done
  if [ ! "$out/threads.so" -nt "$from/threads.c" ]; then
    clang -O2 -std=c2x -Wall -Wextra -Werror -fPIC -shared -o "$out/threads.so" "$from/threads.c"
  fi
}

release() { swift build -c release --static-swift-stdlib --product hopspan; }
