// Copies a build output into a stage directory, hashing it on the way.
//
// Threads: StageFile runs on any thread and blocks it for the time of the copy. Failure: nothing
// stays in the directory unless the result is Staged.

#ifndef NAPI_RELOAD_COPY_H_
#define NAPI_RELOAD_COPY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "facts.h"
#include "posix.h"
#include "rebind_copy.h"
#include "stage.h"

namespace napi_reload {

struct StageRequest {
  std::string source;
  int64_t id = 0;
  std::string skip_hash;  // empty: nothing to skip
  // While the bytes of a small file are in memory: read its facts, and rebind it.
  bool examine = false;
  bool rebind = false;
};

enum class CopyMethod { kClone, kRange, kRead };

struct Staged {
  std::string path;
  std::string hash;
  uint64_t bytes = 0;
  std::string file;  // the source's identity, as device:inode
  double mtime_ms = 0;
  CopyMethod method = CopyMethod::kRead;
  // What was asked for and could be done on the way; the copy is already rebound then.
  std::optional<std::variant<ImageFacts, NotElf>> facts;
  std::optional<std::variant<Rebound, Refused>> binding;
};

// The source has the hash that was to be skipped.
struct Same {
  std::string hash;
};

// Not whole, or changed while it was copied. Waiting may help.
struct Incomplete {
  std::string found;
  uint64_t bytes = 0;
  double mtime_ms = 0;
};

// No regular ELF file. Waiting will not help.
struct Foreign {
  std::string found;
};

using StageResult = std::variant<Staged, Same, Incomplete, Foreign, IoFailure>;

StageResult StageFile(const std::shared_ptr<StageDirectory>& directory,
                      const StageRequest& request);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_COPY_H_
