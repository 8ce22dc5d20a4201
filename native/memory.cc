#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace napi_reload {
namespace {

// Of Linux 6.3 and 5.14; headers may be older.
#ifdef MFD_NOEXEC_SEAL
constexpr unsigned kNoExec = MFD_NOEXEC_SEAL;
#else
constexpr unsigned kNoExec = 0x0008U;
#endif

#ifdef MADV_POPULATE_WRITE
constexpr int kPopulate = MADV_POPULATE_WRITE;
#else
constexpr int kPopulate = 23;
#endif

constexpr size_t kHugePageBytes = size_t{2} << 20;
// With fewer, the last huge page would be too great a part of the whole.
constexpr size_t kLargeBytesMin = size_t{16} << 20;
// Addresses cost nothing until their pages are touched, and there are 2^47 of them, or 2^39 on a
// small arm64.
constexpr size_t kRoomTimes = 16;
constexpr size_t kRoomBytesMin = size_t{1} << 30;
// More than any process has addresses for, and few enough to reckon with.
constexpr size_t kBytesMax = size_t{1} << 56;

size_t RoundUp(size_t bytes) { return (bytes + kHugePageBytes - 1) & ~(kHugePageBytes - 1); }

Fd CreateFile(const std::string& name) {
  const std::string label = "napi-reload:" + name;
  Fd file(memfd_create(label.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExec));
  if (!file.ok() && errno == EINVAL) {
    file = Fd(memfd_create(label.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  return file;
}

// Nothing when the addresses are not to be had. A file mapping is as aligned as a page, so a
// reservation that is larger comes first.
std::shared_ptr<MemoryMapping> Map(const Fd& file, size_t room, int sharing = MAP_SHARED) {
  // First: what follows must not be lost for want of memory.
  auto mapping = std::make_shared<MemoryMapping>();
  const size_t reserved = room + kHugePageBytes;
  void* const begin =
      mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) return nullptr;
  auto* const bytes = static_cast<uint8_t*>(begin);
  const size_t before = -reinterpret_cast<uintptr_t>(bytes) % kHugePageBytes;
  void* const data =
      mmap(bytes + before, room, PROT_READ | PROT_WRITE, sharing | MAP_FIXED, file.get(), 0);
  if (data == MAP_FAILED) {
    const int error = errno;
    munmap(begin, reserved);
    errno = error;
    return nullptr;
  }
  const size_t after = reserved - room - before;
  if (before > 0) munmap(begin, before);
  if (after > 0) munmap(bytes + before + room, after);
  mapping->Take(data, room);
  return mapping;
}

// With room to grow, or without any where the process may not have so many addresses.
std::shared_ptr<MemoryMapping> MapWithRoom(const Fd& file, size_t bytes) {
  auto mapping = Map(file, RoundUp(bytes + std::max(bytes * kRoomTimes, kRoomBytesMin)));
  return mapping != nullptr ? mapping : Map(file, RoundUp(bytes));
}

}  // namespace

MemoryMapping::~MemoryMapping() {
  if (data_ != nullptr) munmap(data_, room_);
}

void MemoryMapping::PreferHugePages() const noexcept { madvise(data_, room_, MADV_HUGEPAGE); }

MemoryBlock::Created MemoryBlock::Create(const std::string& name, size_t bytes, Room room) {
  auto block = std::make_shared<MemoryBlock>(CreateFile(name), name, room);
  if (!block->file_.ok()) return block->Failed("memfd_create");
  if (fcntl(block->file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return block->Failed("fcntl");
  }
  if (auto failure = block->Resize(bytes)) return *failure;
  return block;
}

MemoryBlock::Created MemoryBlock::Open(const std::string& path, size_t bytes, Writes writes) {
  // The path may lead to anything, such as a pipe that would be waited for.
  const Fd file(Retry([&] { return open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC); }));
  if (!file.ok()) return IoFailure{"open", path, errno};
  // Without the seal, whoever makes the file shorter would end this process by SIGBUS.
  const int seals = fcntl(file.get(), F_GET_SEALS);
  if (seals == -1 || (seals & F_SEAL_SHRINK) == 0) return IoFailure{"fcntl", path, EINVAL};
  struct stat status;
  if (fstat(file.get(), &status) != 0) return IoFailure{"fstat", path, errno};
  if (static_cast<size_t>(status.st_size) < bytes) return IoFailure{"fstat", path, EINVAL};
  auto block = std::make_shared<MemoryBlock>(Fd(), path, Room::kNone);
  block->mapping_ = Map(file, RoundUp(bytes), writes == Writes::kShared ? MAP_SHARED : MAP_PRIVATE);
  if (block->mapping_ == nullptr) return IoFailure{"mmap", path, errno};
  if (bytes >= kLargeBytesMin) block->mapping_->PreferHugePages();
  block->bytes_ = bytes;
  return block;
}

std::optional<IoFailure> MemoryBlock::Resize(size_t bytes) {
  if (!file_.ok()) {
    errno = EPERM;
    return Failed("ftruncate");
  }
  if (bytes <= bytes_) {
    // To give pages back. What could not be cleared is when it grows again.
    Clear(bytes, bytes_);
    bytes_ = bytes;
    return std::nullopt;
  }
  if (bytes > kBytesMax) {
    errno = ENOMEM;
    return Failed("mmap");
  }
  struct stat status;
  if (fstat(file_.get(), &status) != 0) return Failed("fstat");
  if (static_cast<size_t>(status.st_size) < bytes &&
      Retry([&] { return ftruncate(file_.get(), static_cast<off_t>(bytes)); }) != 0) {
    return Failed("ftruncate");
  }
  // Who wrote there had no right to, or grew it and was refused.
  if (!Clear(bytes_, bytes)) return Failed("fallocate");
  if (mapping_ == nullptr || mapping_->room() < bytes) {
    auto mapping = room_ == Room::kToGrow ? MapWithRoom(file_, bytes) : Map(file_, RoundUp(bytes));
    if (mapping == nullptr) return Failed("mmap");
    mapping_ = std::move(mapping);
  }
  if (bytes >= kLargeBytesMin) mapping_->PreferHugePages();
  bytes_ = bytes;
  return std::nullopt;
}

// Pages that are not there yet cost most of a copy. The kernel makes them at half the price in a
// write as in faults, and the page table of many at once, for which the second copy is early
// enough. 64 MB: 40 ms, then 25, then 8, where copies to the mapping alone take 80, then 8.
std::optional<IoFailure> MemoryBlock::Write(const uint8_t* from, size_t bytes) {
  if (writes_ > 0 || !file_.ok()) {
    if (writes_ == 1) madvise(mapping_->data(), bytes, kPopulate);
    writes_ = 2;
    std::memcpy(mapping_->data(), from, bytes);
    return std::nullopt;
  }
  for (size_t at = 0; at < bytes;) {
    const ssize_t count =
        Retry([&] { return pwrite(file_.get(), from + at, bytes - at, static_cast<off_t>(at)); });
    if (count == -1) return Failed("pwrite");
    at += static_cast<size_t>(count);
  }
  writes_ = 1;
  return std::nullopt;
}

std::string MemoryBlock::Path() const {
  if (!file_.ok()) return std::string();
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file_.get());
}

void MemoryBlock::Close() noexcept {
  mapping_ = nullptr;
  file_.Close();
}

// Of mappings too, which stay.
bool MemoryBlock::Clear(size_t from, size_t to) noexcept {
  if (from == to) return true;
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return Retry([&] {
           return fallocate(file_.get(), mode, static_cast<off_t>(from),
                            static_cast<off_t>(to - from));
         }) == 0;
}

}  // namespace napi_reload
