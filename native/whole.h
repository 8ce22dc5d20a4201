// Tells from its headers whether a file is a whole ELF image, one that is still being written, or
// no ELF at all.
//
// Threads: any; no state is shared. Failure: none; bytes that can't be read count as missing.

#ifndef NAPI_RELOAD_WHOLE_H_
#define NAPI_RELOAD_WHOLE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace napi_reload {

// Bytes of a file that is not mapped, because it may shrink under us.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // All of the `size` bytes at `offset`, or false.
  virtual bool ReadAt(uint64_t offset, void* to, size_t size) const = 0;
};

enum class Wholeness {
  kWhole,       // every segment and section is inside; says nothing of what they hold
  kIncomplete,  // waiting may help
  kForeign,     // waiting will not help
};

struct WholenessResult {
  Wholeness wholeness = Wholeness::kWhole;
  std::string found;  // what is missing, or what the file is instead
};

// `size` is the file's size as fstat told it. ELF files that are not 64-bit little-endian count as
// whole: they are refused for their architecture later, whatever they hold.
WholenessResult CheckWholeness(const ByteSource& source, uint64_t size);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_WHOLE_H_
