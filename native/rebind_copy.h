// Rebinds the staged copy of an addon where it lies, and its private libraries beside it.
//
// Threads: any; blocks for the time of a read and a few writes. Failure: after a refusal or a
// failed call the copy is as it was and no library stays.

#ifndef NAPI_RELOAD_REBIND_COPY_H_
#define NAPI_RELOAD_REBIND_COPY_H_

#include <string>
#include <variant>
#include <vector>

#include "posix.h"

namespace napi_reload {

struct Rebound {
  std::vector<std::string> libraries;  // staged, dependencies before those that need them
  size_t unique_healed = 0;
  bool uses_uv = false;
  bool uses_uv_requests = false;
};

// Why the copy can't be unloaded once it is loaded; completes "it is kept because ".
struct Refused {
  std::string reason;
};

struct RebindAddonResult;

// The part of a good result that matters after the copy was written.
Rebound ToRebound(RebindAddonResult result);

using RebindCopyResult = std::variant<Rebound, Refused, IoFailure>;

// `source` is the file that `copy` was made of: private libraries are looked for from there.
RebindCopyResult RebindCopy(const std::string& copy, const std::string& source);

// SHA-256 of a file, in hexadecimal.
std::variant<std::string, IoFailure> HashFile(const std::string& path);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_REBIND_COPY_H_
