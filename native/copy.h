// Copies a build output into a stage directory, hashing it on the way.
//
// Also stages a version once more whose source has been written over since (pristine.h).
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
#include <vector>

#include "facts.h"
#include "posix.h"
#include "pristine.h"
#include "private_libraries.h"
#include "rebind_addon.h"
#include "source_file.h"
#include "stage.h"
#include "transfer.h"

namespace napi_reload {

struct StageRequest {
  std::string source;
  int64_t id = 0;
  // Bytes with this fingerprint, or an addon with this hash, are not staged; empty: all are.
  std::string skip;
  // Look for private libraries, which are a part of the fingerprint then.
  bool find_libraries = false;
  // While the bytes of a small file are in memory: read its facts, and rebind it.
  bool examine = false;
  bool rebind = false;
  // Stage what this version was made of, instead of what is at `source` now. Of any size.
  std::optional<Kept> kept;
};

// A private library as it was when the addon was staged.
struct LibraryFile {
  std::string source;
  std::string identity;
  std::string hash;
  double mtime_ms = 0;
};

// What a version is made of.
struct Contents {
  std::string hash;         // of the addon itself
  std::string fingerprint;  // of it and its private libraries
  std::vector<LibraryFile> libraries;
  std::vector<std::string> looked;  // see Closure
};

struct Staged {
  std::string path;
  Contents contents;
  uint64_t bytes = 0;
  std::string file;  // the source's identity, as device:inode
  double mtime_ms = 0;
  CopyMethod method = CopyMethod::kRead;
  // What was asked for and could be done on the way; the copy is already rebound then.
  std::optional<std::variant<ImageFacts, NotElf>> facts;
  std::optional<std::variant<Rebound, Refused>> binding;
};

// The source has what was to be skipped.
struct Same {
  Contents contents;
};

using StageResult = std::variant<Staged, Same, Incomplete, Foreign, IoFailure>;

StageResult StageFile(const std::shared_ptr<StageDirectory>& directory,
                      const StageRequest& request);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_COPY_H_
