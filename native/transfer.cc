#include "transfer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "posix.h"

namespace napi_reload {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

bool IsOutOfSpace(int error) { return error == ENOSPC || error == EDQUOT; }

}  // namespace

const char* Transfer::Run() {
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

// Leaves `copied_` at 0 where the two files can't be copied in this way.
const char* Transfer::CopyRange() {
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

const char* Transfer::CopyThroughMemory() {
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

const char* Transfer::HashTarget() {
  uint8_t buffer[kBufferBytes];
  for (;;) {
    const auto offset = static_cast<off_t>(hashed_);
    const ssize_t got = Retry([&] { return pread(target_, buffer, kBufferBytes, offset); });
    if (got < 0) return "read";
    if (got == 0) return nullptr;
    Hash(buffer, static_cast<size_t>(got));
  }
}

bool Transfer::WriteAll(const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t put = Retry([&] { return write(target_, data, size); });
    if (put < 0) return false;
    data += put;
    size -= static_cast<size_t>(put);
  }
  return true;
}

void Transfer::Hash(const uint8_t* data, size_t size) {
  hash_.Update(data, size);
  hashed_ += size;
}

}  // namespace napi_reload
