#!/usr/bin/env bash
# test/long/threads.sh [rounds]: the parts of the ledger that several threads use, under ThreadSanitizer. Node.js itself is
# not built for it, so a driver of our own takes its place; functions of Node-API and libuv end the process.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-200}
[[ $(g++ -print-file-name=libtsan.so) = /* ]] || { echo "threads: g++ has no ThreadSanitizer here; install libtsan of its version" >&2; exit 1; }

out=$PWD/node_modules/.cache/napi-reload-threads
include=$(node -p "path.resolve(fs.realpathSync(process.execPath), '../../include/node')")
sanitize='-fsanitize=thread -fno-omit-frame-pointer'
flags="-std=c++17 -O1 -g -fno-gnu-unique $sanitize -I$include -DNAPI_VERSION=9"
mkdir -p "$out/stage"
compile() { # shellcheck disable=SC2086
  local object
  object=$3/$(echo "$1" | tr / -).o
  # A header that is newer means all anew.
  [[ $object -nt $1 && -z $(find native -name '*.h' -newer "$object" -print -quit) ]] || g++ $2 -c "$1" -o "$object"
}
export -f compile
# All but what speaks to JavaScript.
mapfile -t sources < <(find native test/long/threads/driver.cc -name '*.cc' ! -name 'binding*')
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I{} bash -c 'compile "$@"' _ {} "$flags" "$out"
mapfile -t objects < <(printf '%s\n' "${sources[@]}" | tr / - | sed "s|.*|$out/&.o|")
nm -u "${objects[@]}" | awk '/ (napi|node_api|uv)_/ { print $2 }' | sort -u |
  sed 's/.*/void &(void) { __builtin_trap(); }/' >"$out/node.c"
gcc -c "$out/node.c" -fPIC -o "$out/node.o"
# shellcheck disable=SC2086
g++ $sanitize "${objects[@]}" "$out/node.o" -ldl -o "$out/driver"
# shellcheck disable=SC2086
g++ $flags -fPIC -shared test/long/threads/addon.cc -o "$out/addon.node"
# Without randomised addresses: newer kernels place mappings where this sanitizer has its shadow.
TSAN_OPTIONS=exitcode=66:suppressions=$PWD/test/long/threads/suppressions.txt \
  setarch -R "$out/driver" "$rounds" "$out/stage" "$out/addon.node"
