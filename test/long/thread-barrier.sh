#!/usr/bin/env bash
# test/long/thread-barrier.sh: the barrier of reloads of all threads, under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
g++ -std=c++17 -O1 -g -Wall -Wextra -Werror -fsanitize=thread test/long/thread-barrier.cc \
  native/thread_barrier.cc -o "$out/thread-barrier"
export TSAN_OPTIONS=halt_on_error=1
# Without randomised addresses: newer kernels place mappings where this sanitizer has its shadow.
setarch -R "$out/thread-barrier"
