// What an ELF image says of itself, as one plain struct.
//
// Ownership: the result owns its strings. Threads: any. Failure: bytes that are no readable image
// give a NotElf.

#ifndef NAPI_RELOAD_FACTS_H_
#define NAPI_RELOAD_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace napi_reload {

// How an addon makes itself known to Node, in the order in which Node looks.
enum class EntryPoint { kConstructor, kV8, kSymbol, kNone };

struct ImageFacts {
  std::string arch;            // as in process.arch, or "machine-N"
  bool shared_object = false;  // 64-bit little-endian ET_DYN; without it nothing below is filled in
  EntryPoint entry = EntryPoint::kNone;
  bool has_api_version = false;
  uint64_t unique_symbols = 0;
  bool no_delete = false;
  uint64_t tls_bytes = 0;
  bool static_tls = false;
  std::vector<std::string> needed;
  std::optional<std::string> soname;
  std::optional<std::string> runpath;
  uint64_t mappings = 0;  // that loading it adds to the process
};

struct NotElf {
  bool malformed = false;  // else it is something else than ELF
  std::string found;
};

std::variant<ImageFacts, NotElf> ReadFacts(const uint8_t* data, size_t size, uint64_t page_bytes);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_FACTS_H_
