// Whether the loader can follow the tables of an image.
//
// glibc's loader reads what an image says of itself without a check: a table that lies outside, an
// index past its table or a chain without an end kills the process, and so does one of its own
// assertions. What it would fall over is refused here, before any byte is mapped. What only says
// which code or data is meant, such as the value of a symbol inside of its segment, can't be judged
// by reading.
//
// Threads: any. Bytes may be hostile. Takes a few microseconds for a small addon, and 0.1 ms for
// one with thousands of symbols.

#ifndef NAPI_RELOAD_LOADABLE_H_
#define NAPI_RELOAD_LOADABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "elf.h"

namespace napi_reload {

// The PT_LOAD segments of an image: what will be where in memory.
class Segments {
 public:
  explicit Segments(const elf::Image& image);

  // Why the loader can't map them so, or nullptr.
  const char* Check(uint64_t file_bytes) const;
  // Whether one of them has all of these bytes from the file, with these permissions (PF_R, …).
  bool InFile(uint64_t address, uint64_t size, uint32_t flags) const;
  // The same for memory, where zeros may follow the bytes of the file.
  bool InMemory(uint64_t address, uint64_t size, uint32_t flags) const;
  // The same for memory with the rest of its last page.
  bool InPages(uint64_t address, uint64_t size, uint32_t flags) const;

 private:
  std::vector<Elf64_Phdr> loads_;
};

// A literal that completes "the file is malformed: ", or nullptr when nothing is wrong. Images for
// another processor are not looked at: the kinds of their relocations are their own.
const char* FindUnloadable(const elf::Image& image, const uint8_t* data, size_t size);

// Parts of it.
const char* CheckHashes(const elf::Image& image, const Segments& segments, const uint8_t* data,
                        size_t size);
const char* CheckRelocations(const elf::Image& image, const Segments& segments, const uint8_t* data,
                             size_t size);
const char* CheckVersions(const elf::Image& image, const Segments& segments, const uint8_t* data,
                          size_t size);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_LOADABLE_H_
