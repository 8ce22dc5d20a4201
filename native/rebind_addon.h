// Rebinds a staged copy together with the private libraries that it needs.
//
// Each library is written beside the staged addon under a name that no other version has, and all
// who need it are rewritten to that name.
//
// Threads: any; file system work, good for a pool.

#ifndef NAPI_RELOAD_REBIND_ADDON_H_
#define NAPI_RELOAD_REBIND_ADDON_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "private_libraries.h"
#include "rebind.h"

namespace napi_reload {

// What leads back from a rebound copy and its libraries to the files that they were made of.
struct Origin {
  Closure closure;  // without the bytes
  Overwritten addon;
  std::vector<Overwritten> libraries;  // in the order of the closure
};

struct Rebound {
  std::vector<std::string> libraries;  // staged, dependencies before those that need them
  size_t unique_healed = 0;
  bool uses_uv = false;
  bool uses_uv_requests = false;
  std::shared_ptr<const Origin> origin;
};

// Why the copy can't be unloaded once it is loaded; completes "it is kept because ".
struct Refused {
  std::string reason;
};

using RebindAddonResult = std::variant<Rebound, Refused, IoFailure>;

// Makes a new file; leaves none when it fails. Returns its path.
using WriteLibrary = std::function<std::variant<std::string, IoFailure>(
    const std::string& name, const std::vector<uint8_t>& bytes)>;

// Rewrites the bytes of a copy, and writes its libraries. Unless the result is Rebound, the bytes
// may be half-written and no library is left.
RebindAddonResult RebindAddon(Closure closure, const WriteLibrary& write, uint8_t* data,
                              size_t size);

// The same value in a variant of more alternatives.
template <typename To, typename From>
To As(From from) {
  return std::visit([](auto& value) -> To { return std::move(value); }, from);
}

void RemoveFiles(const std::vector<std::string>& paths);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_REBIND_ADDON_H_
