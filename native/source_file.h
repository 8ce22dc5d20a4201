// A file that somebody else writes: opened, judged, and read only if it stays as it is meanwhile.
//
// Threads: any; no state is shared. Failure: a value that says whether waiting may help.

#ifndef NAPI_RELOAD_SOURCE_FILE_H_
#define NAPI_RELOAD_SOURCE_FILE_H_

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posix.h"

namespace napi_reload {

// Not whole, or changed while it was read. Waiting may help.
struct Incomplete {
  std::string path;
  std::string found;
  uint64_t bytes = 0;
  double mtime_ms = 0;
};

// No regular ELF file. Waiting will not help.
struct Foreign {
  std::string path;
  std::string found;
};

using Unusable = std::variant<Incomplete, Foreign, IoFailure>;

class SourceFile {
 public:
  using Bytes = std::vector<uint8_t>;

  // Opens a file that is whole by its headers.
  static std::variant<SourceFile, Unusable> Open(const std::string& path);

  int fd() const { return fd_.get(); }
  uint64_t size() const { return static_cast<uint64_t>(status_.st_size); }
  // Its identity: device:inode. One that is written over in place keeps it.
  std::string Identity() const;
  double mtime_ms() const;

  // All of it.
  std::variant<Bytes, Unusable> Read() const;
  // Nothing when it is as it was opened, so that what was read since is of one piece.
  std::optional<Unusable> FindChange() const;

 private:
  SourceFile(std::string path, Fd fd, const struct stat& status)
      : path_(std::move(path)), fd_(std::move(fd)), status_(status) {}

  std::string path_;
  Fd fd_;
  struct stat status_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_SOURCE_FILE_H_
