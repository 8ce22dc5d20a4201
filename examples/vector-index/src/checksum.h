#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "layout.h"

namespace vector_index {

// FNV-1a, four bytes at a time. All parts consist of such words.
class Checksum {
 public:
  template <typename T>
  void Add(const T* data, size_t count) {
    static_assert(sizeof(T) % sizeof(uint32_t) == 0, "a part consists of words");
    const auto* bytes = reinterpret_cast<const unsigned char*>(data);
    for (size_t at = 0; at < count * sizeof(T); at += sizeof(uint32_t)) {
      uint32_t word;
      std::memcpy(&word, bytes + at, sizeof word);
      value_ = (value_ ^ word) * 0x100000001b3;
    }
  }

  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

// Of every byte that the index consists of.
inline uint64_t ChecksumOf(const Index& index) {
  const size_t vectors = index.header->vectors;
  Checksum checksum;
  checksum.Add(index.header, 1);
  checksum.Add(index.centroids, size_t{kLists} * kDimensions);
  checksum.Add(index.starts, kLists + 1);
  checksum.Add(index.ids, vectors);
  checksum.Add(index.rows, vectors * kDimensions);
  return checksum.value();
}

}  // namespace vector_index
