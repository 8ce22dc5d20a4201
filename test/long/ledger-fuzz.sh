#!/usr/bin/env bash
# test/long/ledger-fuzz.sh [seconds] [seed]: libFuzzer on all that reads an image's bytes, with AddressSanitizer,
# LeakSanitizer and UndefinedBehaviorSanitizer. What it found before is kept in node_modules/.cache, and what is worth
# keeping for ever in test/fixtures/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-300}
seed=${2:-$RANDOM}

if ! command -v clang++ >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clang >/dev/null
fi
if ! command -v clang++ >/dev/null; then
  echo "clang++ is missing, which brings libFuzzer: apt-get install clang" >&2
  exit 1
fi

out=$PWD/node_modules/.cache/napi-reload-fuzz
include=$(node -p "path.resolve(fs.realpathSync(process.execPath), '../../include/node')")
mkdir -p "$out/corpus" "$out/findings"
clang++ -std=c++17 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize=function \
  -fno-sanitize-recover=undefined "-I$include" test/long/fuzz/{target,mutator}.cc \
  native/{anatomy,api_version,elf,facts,hash,imports,loadable,loadable_lookups,loadable_relocations}.cc \
  native/{loader_cache,posix,private_libraries,rebind,rebind_addon,run_path,source_file,strings,whole}.cc -o "$out/fuzz"
node test/long/fuzz/seeds.mjs "$out" >/dev/null

# A find is printed with the file that holds it: run "fuzz <file>" to see it again.
status=0
FUZZ_FOLDER=$out "$out/fuzz" -seed="$seed" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
  -detect_leaks=1 -use_value_profile=1 -artifact_prefix="$out/findings/" -print_final_stats=1 \
  "$out/corpus" test/fixtures/fuzz "$out/seeds" 2> >(tee "$out/log" | grep -Ev "NEW|REDUCE|RELOAD" >&2) ||
  status=$?
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/log")
edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$out/log" | tail -1)
echo "{\"seconds\":$seconds,\"seed\":$seed,\"inputs\":${runs:-0},\"edges\":${edges:-0},\"findings\":$((status != 0))}"
exit "$status"
