// Rewrites a staged copy so that it can be unloaded.
//
// 1. An import that the ledger follows becomes a symbol of the copy itself: hidden, absolute, with
//    the address of the shim's function. The loader then looks for no name: nothing is renamed, a
//    symbol version does not matter, and no name of the shim is visible in the process. The copy
//    is good for this process only, as the stage directory is. (glibc 2.28 and later take an
//    absolute symbol as it is, which Node.js 20 needs anyway.)
// 2. STB_GNU_UNIQUE symbols become ordinary globals.
// 3. Names of private libraries (DT_NEEDED, DT_SONAME, version needs) are overwritten in place by
//    names that are no longer. A string that shares bytes with another is a refusal.
//
// Threads: any. Bytes may be hostile: all reads go through elf.h, all writes to offsets that it
// gave. On a refusal the bytes may be half-written: throw the copy away.

#ifndef NAPI_RELOAD_REBIND_H_
#define NAPI_RELOAD_REBIND_H_

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace napi_reload {

// The processor that this shim is for, as images name it.
#if defined(__x86_64__)
inline constexpr uint16_t kRebindMachine = EM_X86_64;
#elif defined(__aarch64__)
inline constexpr uint16_t kRebindMachine = EM_AARCH64;
#else
inline constexpr uint16_t kRebindMachine = EM_NONE;
#endif

struct RebindOptions {
  // From a library's name to its new one, which is no longer.
  std::map<std::string, std::string> libraries;
  // The new DT_SONAME, no longer than the old one; empty leaves it.
  std::string soname;
  // Overwrite DT_RUNPATH or DT_RPATH by "$ORIGIN": for libraries without a DT_SONAME.
  bool search_origin = false;
  // Of images for other processors, too: nothing can come of it but the answer.
  bool any_machine = false;
};

// What stood where a rebind wrote.
class Overwritten {
 public:
  void Note(const uint8_t* data, uint64_t offset, size_t size);
  // False, with nothing changed, when the bytes are fewer than they were.
  bool PutBack(uint8_t* data, size_t size) const;

 private:
  struct Place {
    uint64_t offset;
    size_t size;
  };

  std::vector<Place> places_;  // in the order of the writes: two may overlap
  std::vector<uint8_t> bytes_;
};

struct RebindResult {
  // Why it can't be unloaded, empty when it can; completes "it is kept because ".
  std::string refusal;
  std::vector<std::string> redirected;
  size_t unique_healed = 0;
  bool uses_uv = false;
  bool uses_uv_requests = false;
  Overwritten overwritten;

  bool ok() const { return refusal.empty(); }
};

RebindResult Rebind(uint8_t* data, size_t size, const RebindOptions& options);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_REBIND_H_
