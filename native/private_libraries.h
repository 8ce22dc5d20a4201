// Which libraries of an addon are private, and their bytes.
//
// The loader takes a library by its name and keeps the first it saw: a rebuilt libcore.so is never
// picked up. So each version gets private libraries of its own (rebind_addon.h). They are as much a
// part of it as the addon's own bytes are.
//
// Threads: any; file system work, good for a pool. The source files are only read. Failure: a
// library is held to the same rules as the addon: half of one is Incomplete.

#ifndef NAPI_RELOAD_PRIVATE_LIBRARIES_H_
#define NAPI_RELOAD_PRIVATE_LIBRARIES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "posix.h"
#include "source_file.h"

namespace napi_reload {

// An entry of DT_NEEDED that leads to a private library.
struct Need {
  std::string name;      // as the image has it
  std::string identity;  // of the library
};

struct PrivateLibrary {
  std::string source;    // the file, links resolved
  std::string identity;  // device:inode
  std::string hash;      // SHA-256 in hexadecimal
  double mtime_ms = 0;
  std::vector<uint8_t> bytes;
  std::vector<Need> needs;
};

struct Closure {
  // Dependencies before those that need them, but where they need each other.
  std::vector<PrivateLibrary> libraries;
  std::vector<Need> needs;  // of the addon itself
  // Every path that decides which files these are, whether or not there is a file.
  std::vector<std::string> looked;
  // Why they can't be followed; empty when they can. Completes "it is kept because ".
  std::string refusal;
};

// `data` are the bytes of an addon that is, or was, at `source`. What is no ELF image has none.
std::variant<Closure, Unusable> FindPrivateLibraries(const std::string& source, const uint8_t* data,
                                                     size_t size);

// Names the bytes of an addon and of its libraries: the addon's own hash where it has none.
std::string Fingerprint(const std::string& addon_hash,
                        const std::vector<PrivateLibrary>& libraries);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_PRIVATE_LIBRARIES_H_
