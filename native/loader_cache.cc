#include "loader_cache.h"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include "elf.h"

namespace napi_reload {
namespace {

// As glibc's dl-cache.h has it, since 2.2. All offsets count from the header.
constexpr char kMagic[] = "glibc-ld.so.cache1.1";

struct Header {
  char magic[sizeof(kMagic) - 1];
  uint32_t count;
  uint32_t string_bytes;
  uint32_t unused[5];
};

struct Entry {
  int32_t flags;
  uint32_t name;
  uint32_t path;
  uint32_t system_version;
  uint64_t capabilities;
};

}  // namespace

const LoaderCache& LoaderCache::OfSystem() {
  static const auto* const cache = [] {
    std::ifstream file("/etc/ld.so.cache", std::ios::binary);
    return new LoaderCache(std::string(std::istreambuf_iterator<char>(file), {}));
  }();
  return *cache;
}

// Older systems put a list of an older kind before it.
LoaderCache::LoaderCache(std::string bytes) : bytes_(std::move(bytes)) {
  const size_t begin = bytes_.find(kMagic);
  bytes_.erase(0, begin == std::string::npos ? bytes_.size() : begin);
}

std::vector<std::string> LoaderCache::Find(const std::string& name) const {
  std::vector<std::string> paths;
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes_.data());
  const auto header = elf::ReadAt<Header>(data, bytes_.size(), 0);
  if (!header) return paths;
  for (uint64_t index = 0; index < header->count; ++index) {
    const uint64_t offset = sizeof(Header) + index * sizeof(Entry);
    const auto entry = elf::ReadAt<Entry>(data, bytes_.size(), offset);
    if (!entry) break;
    if (TextAt(entry->name) == name) paths.push_back(TextAt(entry->path));
  }
  return paths;
}

std::string LoaderCache::TextAt(size_t offset) const {
  const size_t end = bytes_.find('\0', offset);
  return end == std::string::npos ? "" : bytes_.substr(offset, end - offset);
}

}  // namespace napi_reload
