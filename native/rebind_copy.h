// Rebinds the staged copy of an addon where it lies, and its private libraries beside it.
//
// Threads: any; blocks for the time of some reads and a few writes. Failure: unless the result is
// Rebound, the copy is as it was and no library stays.

#ifndef NAPI_RELOAD_REBIND_COPY_H_
#define NAPI_RELOAD_REBIND_COPY_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posix.h"
#include "pristine.h"
#include "rebind_addon.h"

namespace napi_reload {

using RebindCopyResult = std::variant<Rebound, Refused, Incomplete, Foreign, IoFailure>;

// `source` is the file that `copy` was made of: private libraries are looked for from there. They
// must have the hashes given, where some are. Those of a version that was kept, which the copy was
// made of, come from there instead.
RebindCopyResult RebindCopy(const std::string& copy, const std::string& source,
                            const std::optional<std::vector<std::string>>& library_hashes,
                            const std::optional<Kept>& kept);

// SHA-256 of a file, in hexadecimal.
std::variant<std::string, IoFailure> HashFile(const std::string& path);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_REBIND_COPY_H_
