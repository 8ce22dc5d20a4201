#include "source_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "whole.h"

namespace napi_reload {
namespace {

// Images are read into memory. One that is larger than this is a mistake, or has a hole: sizes cost
// nothing in a sparse file.
constexpr off_t kFileBytesMax = off_t{4} << 30;

class FileSource : public ByteSource {
 public:
  explicit FileSource(int fd) : fd_(fd) {}
  bool ReadAt(uint64_t offset, void* to, size_t size) const override {
    auto* at = static_cast<uint8_t*>(to);
    while (size > 0) {
      if (offset > INT64_MAX - size) return false;
      const ssize_t got = Retry([&] { return pread(fd_, at, size, static_cast<off_t>(offset)); });
      if (got == 0) errno = 0;  // the end of the file
      if (got < 0) error_ = errno;
      if (got <= 0) return false;
      at += got;
      offset += static_cast<uint64_t>(got);
      size -= static_cast<size_t>(got);
    }
    return true;
  }
  // Of a read that failed; 0 when all got what there was.
  int error() const { return error_; }

 private:
  int fd_;
  mutable int error_ = 0;
};

const char* KindName(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "not a regular file";
}

double Milliseconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool Same(const struct stat& before, const struct stat& after) {
  return before.st_ino == after.st_ino && before.st_size == after.st_size &&
         SameTime(before.st_mtim, after.st_mtim) && SameTime(before.st_ctim, after.st_ctim);
}

Incomplete IncompleteBecause(const std::string& path, std::string found,
                             const struct stat& status) {
  return {path, std::move(found), static_cast<uint64_t>(status.st_size),
          Milliseconds(status.st_mtim)};
}

}  // namespace

std::variant<SourceFile, Unusable> SourceFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  Fd fd(Retry([&] { return open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); }));
  if (!fd.ok()) return Unusable(IoFailure{"open", path, errno});
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return Unusable(IoFailure{"fstat", path, errno});
  if (!S_ISREG(status.st_mode)) return Unusable(Foreign{path, KindName(status.st_mode)});
  if (status.st_size > kFileBytesMax) return Unusable(Foreign{path, "a file of more than 4 GiB"});
  // With pread and never mmap: the file may be cut off under us, which is SIGBUS for a mapping.
  const FileSource source(fd.get());
  auto result = CheckWholeness(source, static_cast<uint64_t>(status.st_size));
  // A disk that fails is none that is still being written to.
  if (source.error() != 0) return Unusable(IoFailure{"read", path, source.error()});
  switch (result.wholeness) {
    case Wholeness::kForeign:
      return Unusable(Foreign{path, std::move(result.found)});
    case Wholeness::kIncomplete:
      return Unusable(IncompleteBecause(path, std::move(result.found), status));
    case Wholeness::kWhole:
      break;
  }
  return SourceFile(path, std::move(fd), status);
}

std::string SourceFile::Identity() const {
  return std::to_string(status_.st_dev) + ":" + std::to_string(status_.st_ino);
}

double SourceFile::mtime_ms() const { return Milliseconds(status_.st_mtim); }

std::variant<SourceFile::Bytes, Unusable> SourceFile::Read() const {
  Bytes bytes(size());
  const bool whole = FileSource(fd()).ReadAt(0, bytes.data(), bytes.size());
  if (const int error = whole ? 0 : errno) return Unusable(IoFailure{"read", path_, error});
  if (auto change = FindChange()) return std::move(*change);
  if (!whole)
    return Unusable(IncompleteBecause(path_, "it became shorter while it was read", status_));
  return bytes;
}

std::optional<Unusable> SourceFile::FindChange() const {
  struct stat now;
  if (fstat(fd(), &now) != 0) return Unusable(IoFailure{"fstat", path_, errno});
  if (Same(status_, now)) return std::nullopt;
  return IncompleteBecause(path_, "it changed while it was copied", now);
}

}  // namespace napi_reload
