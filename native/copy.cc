#include "copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "hash.h"
#include "private_libraries.h"
#include "whole.h"

namespace napi_reload {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;
constexpr size_t kHashDigitsInName = 16;
// Up to here bytes pass through memory and are hashed on the way. Both ways cost the same on ext4
// (100 KB: read 0.13, range 0.13 ms; 1 MB: 0.97, 0.98); beyond, a range lets a network file system
// copy on its server.
constexpr uint64_t kReadBytesMax = 1024 * 1024;

class FileSource : public ByteSource {
 public:
  explicit FileSource(int fd) : fd_(fd) {}
  bool ReadAt(uint64_t offset, void* to, size_t size) const override {
    auto* at = static_cast<uint8_t*>(to);
    while (size > 0) {
      if (offset > INT64_MAX - size) return false;
      const ssize_t got = Retry([&] { return pread(fd_, at, size, static_cast<off_t>(offset)); });
      if (got <= 0) return false;
      at += got;
      offset += static_cast<uint64_t>(got);
      size -= static_cast<size_t>(got);
    }
    return true;
  }

 private:
  int fd_;
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

Incomplete IncompleteBecause(std::string found, const struct stat& status) {
  return {std::move(found), static_cast<uint64_t>(status.st_size), Milliseconds(status.st_mtim)};
}

// One copy from `source` to `target`. Each step returns the call that failed, with errno set, or
// null.
class Transfer {
 public:
  Transfer(int source, int target, uint64_t size) : source_(source), target_(target), size_(size) {}

  const char* Run() {
    if (ioctl(target_, FICLONE, source_) == 0) {
      method_ = CopyMethod::kClone;
      return HashTarget();
    }
    if (size_ > kReadBytesMax) {
      if (const char* failed = CopyRange()) return failed;
      if (copied_ > 0) return HashTarget();
    }
    return CopyThroughMemory();
  }

  CopyMethod method() const { return method_; }
  // Bytes that the hash is of.
  uint64_t hashed() const { return hashed_; }
  std::string FinishHex() { return hash_.FinishHex(); }

 private:
  // Leaves `copied_` at 0 where the two files can't be copied in this way.
  const char* CopyRange() {
    while (copied_ < size_) {
      const auto left = static_cast<size_t>(size_ - copied_);
      const ssize_t got =
          Retry([&] { return copy_file_range(source_, nullptr, target_, nullptr, left, 0); });
      if (got == 0) break;
      if (got < 0) return copied_ == 0 && !IsOutOfSpace(errno) ? nullptr : "copy_file_range";
      copied_ += static_cast<uint64_t>(got);
      method_ = CopyMethod::kRange;
    }
    return nullptr;
  }

  const char* CopyThroughMemory() {
    uint8_t buffer[kBufferBytes];
    while (copied_ < size_) {
      const auto wanted = static_cast<size_t>(std::min<uint64_t>(kBufferBytes, size_ - copied_));
      const ssize_t got = Retry([&] { return read(source_, buffer, wanted); });
      if (got < 0) return "read";
      if (got == 0) break;
      if (!WriteAll(buffer, static_cast<size_t>(got))) return "write";
      Hash(buffer, static_cast<size_t>(got));
      copied_ += static_cast<uint64_t>(got);
    }
    return nullptr;
  }

  const char* HashTarget() {
    uint8_t buffer[kBufferBytes];
    for (;;) {
      const auto offset = static_cast<off_t>(hashed_);
      const ssize_t got = Retry([&] { return pread(target_, buffer, kBufferBytes, offset); });
      if (got < 0) return "read";
      if (got == 0) return nullptr;
      Hash(buffer, static_cast<size_t>(got));
    }
  }

  bool WriteAll(const uint8_t* data, size_t size) {
    while (size > 0) {
      const ssize_t put = Retry([&] { return write(target_, data, size); });
      if (put < 0) return false;
      data += put;
      size -= static_cast<size_t>(put);
    }
    return true;
  }

  void Hash(const uint8_t* data, size_t size) {
    hash_.Update(data, size);
    hashed_ += size;
  }

  static bool IsOutOfSpace(int error) { return error == ENOSPC || error == EDQUOT; }

  const int source_;
  const int target_;
  const uint64_t size_;
  CopyMethod method_ = CopyMethod::kRead;
  uint64_t copied_ = 0;
  uint64_t hashed_ = 0;
  Sha256 hash_;
};

// Refuses what is not worth a copy.
std::optional<StageResult> CheckSource(int source, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Foreign{KindName(status.st_mode)};
  // With pread and never mmap: the file may be cut off under us, which is SIGBUS for a mapping.
  auto result = CheckWholeness(FileSource(source), static_cast<uint64_t>(status.st_size));
  if (result.wholeness == Wholeness::kForeign) return Foreign{std::move(result.found)};
  if (result.wholeness == Wholeness::kWhole) return std::nullopt;
  return IncompleteBecause(std::move(result.found), status);
}

bool Unchanged(const struct stat& before, const struct stat& after) {
  return before.st_ino == after.st_ino && before.st_size == after.st_size &&
         SameTime(before.st_mtim, after.st_mtim) && SameTime(before.st_ctim, after.st_ctim);
}

bool WriteBytes(int fd, const std::vector<uint8_t>& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = Retry([&] { return write(fd, bytes.data() + done, bytes.size() - done); });
    if (put < 0) return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

std::variant<std::string, IoFailure> WriteCopy(const std::shared_ptr<StageDirectory>& directory,
                                               const std::vector<uint8_t>& bytes,
                                               const std::string& name) {
  auto created = directory->CreateNamed(name);
  if (auto* failure = std::get_if<IoFailure>(&created)) return std::move(*failure);
  PendingFile file = std::move(std::get<PendingFile>(created));
  if (!WriteBytes(file.fd(), bytes)) return IoFailure{"write", directory->path(), errno};
  if (directory->closed()) return IoFailure{"write", directory->path(), ECANCELED};
  file.Keep();
  return directory->path() + "/" + name;
}

void RemoveLibraries(const std::variant<Rebound, Refused>& binding) {
  const auto* rebound = std::get_if<Rebound>(&binding);
  if (rebound == nullptr) return;
  for (const auto& library : rebound->libraries) unlink(library.c_str());
}

std::string NameOf(const StageRequest& request, const std::string& hash) {
  return std::to_string(request.id) + "-" + hash.substr(0, kHashDigitsInName) + ".node";
}

Staged StagedAs(std::string path, std::string hash, const struct stat& source, CopyMethod method) {
  Staged staged;
  staged.path = std::move(path);
  staged.hash = std::move(hash);
  staged.bytes = static_cast<uint64_t>(source.st_size);
  staged.file = std::to_string(source.st_dev) + ":" + std::to_string(source.st_ino);
  staged.mtime_ms = Milliseconds(source.st_mtim);
  staged.method = method;
  return staged;
}

// Rebinds bytes in memory; they are as they were when it is refused.
std::variant<Rebound, Refused> RebindBytes(const std::string& source, const std::string& directory,
                                           std::vector<uint8_t>* bytes) {
  std::vector<uint8_t> copy = *bytes;
  auto result = RebindAddon(source, directory, copy.data(), copy.size());
  if (!result.addon.ok()) return Refused{std::move(result.addon.refusal)};
  bytes->swap(copy);
  return ToRebound(std::move(result));
}

// The way of a small file: each step works on the same bytes, which are written once.
StageResult StageInMemory(const std::shared_ptr<StageDirectory>& directory,
                          const StageRequest& request, int source, const struct stat& before) {
  std::vector<uint8_t> bytes(static_cast<size_t>(before.st_size));
  const bool whole = FileSource(source).ReadAt(0, bytes.data(), bytes.size());
  struct stat after;
  if (fstat(source, &after) != 0) return IoFailure{"fstat", request.source, errno};
  if (!whole || !Unchanged(before, after)) {
    return IncompleteBecause("it changed while it was copied", after);
  }
  Sha256 sha;
  sha.Update(bytes.data(), bytes.size());
  std::string hash = sha.FinishHex();
  if (hash == request.skip_hash) return Same{std::move(hash)};

  Staged staged = StagedAs("", hash, after, CopyMethod::kRead);
  staged.facts =
      ReadFacts(bytes.data(), bytes.size(), static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  if (request.rebind && std::holds_alternative<ImageFacts>(*staged.facts)) {
    staged.binding = RebindBytes(request.source, directory->path(), &bytes);
  }
  auto path = WriteCopy(directory, bytes, NameOf(request, hash));
  if (auto* failure = std::get_if<IoFailure>(&path)) {
    if (staged.binding) RemoveLibraries(*staged.binding);
    return std::move(*failure);
  }
  staged.path = std::move(std::get<std::string>(path));
  return staged;
}

}  // namespace

StageResult StageFile(const std::shared_ptr<StageDirectory>& directory,
                      const StageRequest& request) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const Fd source(Retry(
      [&] { return open(request.source.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); }));
  if (!source.ok()) return IoFailure{"open", request.source, errno};
  struct stat before;
  if (fstat(source.get(), &before) != 0) return IoFailure{"fstat", request.source, errno};
  if (auto refusal = CheckSource(source.get(), before)) return std::move(*refusal);
  if (request.examine && static_cast<uint64_t>(before.st_size) <= kReadBytesMax) {
    return StageInMemory(directory, request, source.get(), before);
  }

  auto created = directory->CreateFile();
  if (auto* failure = std::get_if<IoFailure>(&created)) return std::move(*failure);
  const PendingFile target = std::move(std::get<PendingFile>(created));
  Transfer transfer(source.get(), target.fd(), static_cast<uint64_t>(before.st_size));
  if (const char* operation = transfer.Run()) {
    const bool reading = std::string(operation) == "read";
    return IoFailure{operation, reading ? request.source : directory->path(), errno};
  }

  struct stat after;
  if (fstat(source.get(), &after) != 0) return IoFailure{"fstat", request.source, errno};
  const auto size = static_cast<uint64_t>(after.st_size);
  if (!Unchanged(before, after) || transfer.hashed() != size) {
    return IncompleteBecause("it changed while it was copied", after);
  }
  std::string hash = transfer.FinishHex();
  if (hash == request.skip_hash) return Same{std::move(hash)};
  // No fsync: a staged file is of use only to the process that made it.
  auto path = directory->Publish(target, NameOf(request, hash));
  if (auto* failure = std::get_if<IoFailure>(&path)) return std::move(*failure);
  return StagedAs(std::move(std::get<std::string>(path)), std::move(hash), after,
                  transfer.method());
}

}  // namespace napi_reload
