#!/usr/bin/env bash
# test/long/image-threads.sh: images that threads share, under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."

include=$(node -p "path.resolve(fs.realpathSync(process.execPath), '../../include/node')")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -m 700 "$out/stage" "$out/stage/own"

# Nobody calls it: there is no Node.js here.
echo 'void *napi_register_module_v1(void *env, void *exports) { return env ? exports : 0; }' |
  gcc -shared -fPIC -x c - -o "$out/plain.node"
g++ -std=c++17 -O1 -g -fsanitize=thread "-I$include" test/long/image-threads.cc native/image.cc \
  native/image_{keys,sharing}.cc native/stage{,_parent}.cc native/sweep.cc native/posix.cc -ldl -o "$out/image-threads"
# The loader orders its own by a lock that the sanitizer does not see.
echo 'race:_dl_' >"$out/suppressions"
export TSAN_OPTIONS=suppressions=$out/suppressions:halt_on_error=1
# Without randomised addresses: newer kernels place mappings where this sanitizer has its shadow.
setarch -R "$out/image-threads" "$out/plain.node" "$out/stage/own"
