// The little that the shim needs around system calls: an owner of a descriptor, a failed call as a
// value.

#ifndef NAPI_RELOAD_POSIX_H_
#define NAPI_RELOAD_POSIX_H_

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace napi_reload {

struct IoFailure {
  const char* operation = "";  // name of the call; a literal
  std::string path;
  int error = 0;
};

// With the errno of now.
inline IoFailure Failed(const char* operation, std::string path) {
  return IoFailure{operation, std::move(path), errno};
}

// "ENOSPC" for ENOSPC; "errno N" for one that no Linux of today knows. Not glibc's
// strerrorname_np, which would keep a prebuilt shim from loading with a glibc before 2.32.
std::string ErrnoName(int error);

// Calls again while a signal interrupts. Only for calls that are safe to repeat: not close().
template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

// Reads to the last of these bytes. False when a call failed, with its errno, or when the file ends
// before them, with EIO.
bool ReadWhole(int fd, void* to, size_t size, uint64_t offset);

// Whether this is the thread that the process began with.
bool OnMainThread();

// From now on SIGKILL ends this process when the thread that forked it ends; a process whose parent
// is killed, or whose parent's thread exits, does not outlive it, not even in an endless loop.
// False when that parent is gone already, or is none that this process can see.
bool DieWithParent(int parent_pid);

// Sole owner of pages that are mapped for reading, and gives them back.
class Mapping {
 public:
  // Keeps errno of a failure; `ok` tells.
  Mapping(int fd, size_t size);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  bool ok() const { return data_ != nullptr; }
  const uint8_t* data() const { return static_cast<const uint8_t*>(data_); }

 private:
  void* data_;
  size_t size_;
};

// Sole owner of a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Close(); }

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Idempotent. Keeps errno, so that it can stand between a failed call and its report.
  void Close() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_POSIX_H_
