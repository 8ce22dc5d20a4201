// Who uses which bytes of an image's dynamic string table. Linkers merge strings: "napi_wrap" may
// be the tail of another name, and to overwrite one is then to overwrite both.

#ifndef NAPI_RELOAD_STRINGS_H_
#define NAPI_RELOAD_STRINGS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "elf.h"

namespace napi_reload {

struct StringUse {
  uint64_t offset;        // in the file
  std::string_view text;  // borrowed from the bytes as they are now
  bool is_symbol;
};

using StringUses = std::vector<StringUse>;

// Names of symbols, dynamic entries, version needs and definitions. False when one is no string of
// the table. Any thread.
bool CollectStrings(const elf::Image& image, const uint8_t* data, size_t size, StringUses* uses);

// Whether any other string has a byte in common with this one, but for equal library names.
bool SharesBytes(const StringUses& uses, const StringUse& use);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_STRINGS_H_
