// ledger-fuzz <seconds> <seed> <ELF files...>: random changes of real images go through elf.cc and
// rebind.cc. Built with sanitizers by ledger-fuzz.sh, which see what is read or written outside of
// the bytes.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "../../native/interpose/table.h"
#include "../../native/rebind.h"

using Bytes = std::vector<uint8_t>;

namespace napi_reload::interpose {

// Any address will do: nothing is loaded.
const void* FindRedirect(std::string_view name) {
  return name.substr(0, 5) == "napi_" ? &stdout : nullptr;
}

}  // namespace napi_reload::interpose

namespace {

// Headers, the dynamic section and the string tables lie there.
constexpr size_t kHeadBytes = 0x1000;
constexpr size_t kTailBytes = 4000;
constexpr int kChangesMax = 6;
constexpr uint8_t kHostile[] = {0, 1, 0x7f, 0x80, 0xff};

std::mt19937_64 generator;

size_t Random(size_t limit) { return generator() % limit; }

uint8_t HostileByte() { return kHostile[Random(std::size(kHostile))]; }

size_t RandomOffset(size_t size) {
  if (Random(4) == 0) return size - 1 - Random(std::min(size, kTailBytes));
  return Random(Random(3) == 0 ? size : std::min(size, kHeadBytes));
}

void Change(Bytes* bytes) {
  for (size_t changes = 1 + Random(kChangesMax); changes > 0; --changes) {
    const size_t offset = RandomOffset(bytes->size());
    const size_t length = Random(2) == 0 ? 1 : sizeof(uint64_t);
    const size_t end = std::min(offset + length, bytes->size());
    for (size_t at = offset; at < end; ++at) (*bytes)[at] = HostileByte();
  }
  if (Random(8) == 0) bytes->resize(1 + Random(bytes->size()));
}

Bytes ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  generator.seed(std::strtoull(arguments[2], nullptr, 10));
  std::vector<Bytes> images;
  for (int index = 3; index < count; ++index) images.push_back(ReadFile(arguments[index]));
  napi_reload::RebindOptions options;
  options.libraries["libcore.so"] = "libcore.00";
  options.soname = "libcore.00";
  options.search_origin = true;

  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(std::atoi(arguments[1]));
  size_t tried = 0;
  size_t rebound = 0;
  for (; Clock::now() < end; ++tried) {
    Bytes changed = images[Random(images.size())];
    Change(&changed);
    // Of the exact size, so that a sanitizer sees the first byte outside.
    Bytes bytes(changed.begin(), changed.end());
    if (napi_reload::Rebind(bytes.data(), bytes.size(), options).ok()) ++rebound;
  }
  std::printf("{\"tried\":%zu,\"rebound\":%zu}\n", tried, rebound);
  return rebound > 0 ? 0 : 1;
}
