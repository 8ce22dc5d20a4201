#!/usr/bin/env bash
# test/long/ledger-fuzz.sh [seconds] [seed]: hostile ELF images, under sanitizers.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
seed=${2:-42}

[[ $(g++ -print-file-name=libasan.so) = /* ]] || { echo "skipped: g++ has no AddressSanitizer here"; exit 0; }
out=$PWD/node_modules/.cache/napi-reload-sanitize
include=$(node -p "path.resolve(fs.realpathSync(process.execPath), '../../include/node')")
mkdir -p "$out"
g++ -std=c++17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined "-I$include" \
  test/long/ledger-fuzz.cc native/elf.cc native/rebind.cc native/strings.cc -o "$out/ledger-fuzz"
mapfile -t images < <(node --input-type=module -e '
  import { addon, addonWithLibrary } from "./test/fixtures/ledger/build.mjs";
  const library = addonWithLibrary(1);
  const images = [addon("plain"), addon("unique"), addon("full"), library, library.replace("addon.node", "libcore.so")];
  console.log(images.join("\n"));')
"$out/ledger-fuzz" "$seconds" "$seed" "${images[@]}"
