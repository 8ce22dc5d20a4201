// A directory of ours to stage into: made, locked, and removed with all in it.
//
// Ownership: whoever opened it and each copy in progress share it; the files in it belong to it.
// Threads: Open and Close run on the JS thread, CreateFile and Publish there or on the pool. One
// mutex orders them, so that no name appears in a directory that has been removed.
// Failure: a system call that failed is an IoFailure; nothing it had begun stays behind.

#ifndef NAPI_RELOAD_STAGE_H_
#define NAPI_RELOAD_STAGE_H_

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posix.h"
#include "stage_parent.h"

namespace napi_reload {

class StageDirectory;

// A file in the making. Without a published name it vanishes with this object.
class PendingFile {
 public:
  PendingFile(std::shared_ptr<StageDirectory> directory, Fd fd, std::string temporary_name);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile();

  int fd() const { return fd_.get(); }
  // From now on its name stays.
  void Keep() { temporary_name_.clear(); }
  // Empty where the file system can make a file without a name.
  const std::string& temporary_name() const { return temporary_name_; }

 private:
  std::shared_ptr<StageDirectory> directory_;
  Fd fd_;
  std::string temporary_name_;
};

class StageDirectory : public std::enable_shared_from_this<StageDirectory> {
 public:
  using OpenResult = std::variant<std::shared_ptr<StageDirectory>, UnsafeDirectory, IoFailure>;

  // Makes `stage_dir` where it is missing, sweeps what dead processes left there, and makes a
  // directory of its own.
  static OpenResult Open(const std::string& stage_dir, const std::string& name);

  StageDirectory(const StageDirectory&) = delete;
  StageDirectory& operator=(const StageDirectory&) = delete;
  ~StageDirectory() { Close(); }

  const std::string& path() const { return path_; }
  const std::vector<std::string>& swept() const { return swept_; }

  // Removes the directory and lets go of its lock. Idempotent; does nothing in a process forked
  // from the owner.
  void Close() noexcept;
  bool closed();

  // A new file of mode 0600, open for reading and writing.
  std::variant<PendingFile, IoFailure> CreateFile();
  // A new file that has its name from the start, and loses it unless it is kept: cheaper where its
  // bytes are at hand. Nobody but this process looks into the directory. Its mode is 0400 when it
  // is finished with them, and 0600 when it is to be rebound.
  std::variant<PendingFile, IoFailure> CreateNamed(const std::string& name, bool finished);
  // Gives the file its name, which nothing may have yet. Returns its path.
  std::variant<std::string, IoFailure> Publish(const PendingFile& file, const std::string& name);
  // Takes back the copy of a version that was not handed out, whatever the rest of its name is. For
  // when memory is short: it allocates nothing but the system's own buffer to list a directory, and
  // where even that fails the copy stays until Close.
  void UnlinkVersion(int64_t id) noexcept;
  // Takes a name back. One that is not there is no failure.
  std::optional<IoFailure> Unlink(const std::string& name) noexcept;

 private:
  StageDirectory() = default;
  std::optional<IoFailure> Create(const std::string& stage_dir, const std::string& name);

  // Set once by Open.
  std::string path_;
  std::string name_;
  std::vector<std::string> swept_;
  pid_t owner_ = -1;

  std::mutex mutex_;  // guards what follows
  Fd parent_;
  Fd directory_;
  Fd lock_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_STAGE_H_
