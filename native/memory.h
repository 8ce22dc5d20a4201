// Memory that no version owns: a file of the kernel's that has no name on any disk, and its
// mapping. Other threads and processes can map the same file, by its path in /proc.
//
// Lifetimes; each keeps a pointer from leading to nothing:
// 1. A mapping stays where it is, at its size, until its last holder lets go: its block, until that
//    is closed, and each array buffer over it.
// 2. The file never gets shorter, which it is sealed against: no byte of a mapping that was given
//    out goes away. A block whose growth is undone is smaller by its own account alone.
// 3. A block grows in its place where the room behind it allows, so that its bytes keep their
//    addresses. Beyond that it gets a second, larger mapping of the same file.
// 4. A block over the file of another one only has a mapping: that outlives whoever made the file.
//    A file that may get shorter is refused.
//
// Threads: a block belongs to one thread. A mapping may be let go of on any.

#ifndef NAPI_RELOAD_MEMORY_H_
#define NAPI_RELOAD_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "posix.h"

namespace napi_reload {

class MemoryMapping {
 public:
  // Of nothing yet.
  MemoryMapping() = default;
  MemoryMapping(const MemoryMapping&) = delete;
  MemoryMapping& operator=(const MemoryMapping&) = delete;
  ~MemoryMapping();

  // From now on it owns what is mapped there.
  void Take(void* data, size_t room) {
    data_ = data;
    room_ = room;
  }
  // Aligned to a huge page.
  void* data() const { return data_; }
  // Bytes that the file may have without another mapping. What lies behind its end is not to be
  // touched.
  size_t room() const { return room_; }
  // Asks for huge pages; the kernel may decline.
  void PreferHugePages() const noexcept;

 private:
  void* data_ = nullptr;
  size_t room_ = 0;
};

class MemoryBlock {
 public:
  using Created = std::variant<std::shared_ptr<MemoryBlock>, IoFailure>;

  // What is kept free behind a new block: addresses to grow into, or none.
  enum class Room { kToGrow, kNone };
  // Whether others see what is written to a block that was opened.
  enum class Writes { kShared, kPrivate };

  // All bytes are 0, and take no memory until they are written. The name is what a person reads in
  // /proc; of at most 237 bytes.
  static Created Create(const std::string& name, size_t bytes, Room room);

  // The first bytes of another block's file, of this process or of another one: the same memory.
  // Fails with EINVAL for a file that is no block's, or has fewer bytes. It cannot be resized.
  static Created Open(const std::string& path, size_t bytes, Writes writes);

  MemoryBlock(Fd file, std::string name, Room room)
      : file_(std::move(file)), name_(std::move(name)), room_(room) {}
  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;
  ~MemoryBlock() { Close(); }

  // Bytes behind those that were there are 0. When it fails, all is as it was. To a smaller size it
  // does not fail, but for a block that was opened.
  std::optional<IoFailure> Resize(size_t bytes);

  // Copies to its beginning; of no more bytes than it has.
  std::optional<IoFailure> Write(const uint8_t* from, size_t bytes);

  // By which Open() finds the file, in processes of the same user that see this one in /proc, until
  // Close(). Empty for a block that was opened.
  std::string Path() const;

  // Lets go of the file and the mapping. Idempotent.
  void Close() noexcept;

  bool closed() const { return mapping_ == nullptr; }
  size_t bytes() const { return bytes_; }
  const std::shared_ptr<MemoryMapping>& mapping() const { return mapping_; }

 private:
  bool Clear(size_t from, size_t to) noexcept;
  IoFailure Failed(const char* operation) const { return {operation, name_, errno}; }

  Fd file_;
  std::string name_;
  Room room_;
  size_t bytes_ = 0;
  // Copies that Write() has made, up to 2.
  int writes_ = 0;
  std::shared_ptr<MemoryMapping> mapping_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_MEMORY_H_
