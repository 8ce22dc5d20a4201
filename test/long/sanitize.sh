#!/usr/bin/env bash
# test/long/sanitize.sh [operations] [soak cycles]: the ledger's model, its tests and its soak under AddressSanitizer
# and UndefinedBehaviorSanitizer builds of the shim and of the addons, then its threads under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."
operations=${1:-200000}
cycles=${2:-1500}

runtime=$(g++ -print-file-name=libasan.so)
[[ $runtime = /* ]] || { echo "sanitize: g++ has no AddressSanitizer here; install libasan of its version" >&2; exit 1; }

out=$PWD/node_modules/.cache/napi-reload-sanitize
include=$(node -p "path.resolve(fs.realpathSync(process.execPath), '../../include/node')")
addon_api=$(node -p "require('node-addon-api').include_dir")
sanitize='-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer'
# As in native/shim.gypi.
flags="-std=c++17 -O1 -g -fPIC -fvisibility=hidden -fno-gnu-unique $sanitize -I$include -I$addon_api
  -DNAPI_VERSION=9 -DNAPI_DISABLE_CPP_EXCEPTIONS -DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS -DNODE_ADDON_API_DISABLE_DEPRECATED -D_FILE_OFFSET_BITS=64
  -DNODE_GYP_MODULE_NAME=napi_reload -DBUILDING_NODE_EXTENSION"

mkdir -p "$out"
compile() { # shellcheck disable=SC2086
  local object
  object=$3/$(echo "$1" | tr / -).o
  # A header that is newer means all anew.
  [[ $object -nt $1 && -z $(find native -name '*.h' -newer "$object" -print -quit) ]] || g++ $2 -c "$1" -o "$object"
}
export -f compile
find native -name '*.cc' -print0 |
  xargs -0 -P "$(nproc)" -I{} bash -c 'compile "$@"' _ {} "$flags" "$out"
mapfile -t objects < <(find native -name '*.cc' | tr / - | sed "s|.*|$out/&.o|")
# shellcheck disable=SC2086
g++ -shared $sanitize "${objects[@]}" -ldl -o "$out/napi_reload.node"

export LEDGER_SHIM=$out/napi_reload.node
export LEDGER_CFLAGS=$sanitize
# Leaks are looked for apart. Node.js handles its own SIGSEGV, and has no interceptor of ours in its thread-local storage.
export ASAN_OPTIONS=detect_leaks=0:handle_segv=1:allow_user_segv_handler=0:detect_odr_violation=0:intercept_tls_get_addr=0
export UBSAN_OPTIONS=print_stacktrace=1
# The seed of each run is printed, and with it whatever was found.
LEDGER_PRELOAD=$runtime node test/long/ledger-model.mjs "$operations"
LD_PRELOAD=$runtime node test/long/ledger-soak.mjs "$cycles"
# Node.js frees what it had when it ends well, so that what is lost is the ledger's or the addons'. Compilers lose much.
LD_PRELOAD=$runtime node test/long/ledger-leaks.mjs 0
LD_PRELOAD=$runtime ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=0/detect_leaks=1} node test/long/ledger-leaks.mjs
for file in classes facades functional loading many; do
  LD_PRELOAD=$runtime node node_modules/vitest/vitest.mjs run "test/native/ledger/$file.test.ts"
done

bash test/long/threads.sh
