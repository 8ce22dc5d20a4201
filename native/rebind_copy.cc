#include "rebind_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "hash.h"

namespace napi_reload {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr mode_t kReboundMode = 0400;
// Unit in which changed bytes are written back.
constexpr size_t kBlockBytes = 4096;

// Writes the blocks that differ, as few as a rebind touches.
bool WriteChanges(int fd, const Bytes& before, const Bytes& after) {
  for (size_t at = 0; at < after.size(); at += kBlockBytes) {
    const size_t end = std::min(at + kBlockBytes, after.size());
    if (std::memcmp(before.data() + at, after.data() + at, end - at) == 0) continue;
    for (size_t done = at; done < end;) {
      const ssize_t put = Retry(
          [&] { return pwrite(fd, after.data() + done, end - done, static_cast<off_t>(done)); });
      if (put < 0) return false;
      done += static_cast<size_t>(put);
    }
  }
  return true;
}

bool WriteAll(int fd, const Bytes& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = Retry([&] { return write(fd, bytes.data() + done, bytes.size() - done); });
    if (put < 0) return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

std::variant<std::string, IoFailure> WriteNew(const std::string& path, const Bytes& bytes) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Fd file(Retry([&] { return open(path.c_str(), kFlags, kReboundMode); }));
  if (!file.ok()) return IoFailure{"open", path, errno};
  if (WriteAll(file.get(), bytes)) return path;
  IoFailure failure{"write", path, errno};
  unlink(path.c_str());
  return failure;
}

std::variant<Bytes, IoFailure> ReadFile(const Fd& file, const std::string& path) {
  if (!file.ok()) return IoFailure{"open", path, errno};
  struct stat status;
  if (fstat(file.get(), &status) != 0) return IoFailure{"fstat", path, errno};
  Bytes bytes(static_cast<size_t>(status.st_size));
  if (!ReadWhole(file.get(), bytes.data(), bytes.size(), 0)) return IoFailure{"read", path, errno};
  return bytes;
}

std::vector<std::string> HashesOf(const Closure& closure) {
  std::vector<std::string> hashes;
  for (const PrivateLibrary& library : closure.libraries) hashes.push_back(library.hash);
  return hashes;
}

std::variant<Closure, Unusable> FindLibraries(const std::string& source, const Bytes& bytes,
                                              const std::optional<Kept>& kept) {
  if (!kept || !kept->origin) return FindPrivateLibraries(source, bytes.data(), bytes.size());
  auto read = ReadPristineClosure(*kept);
  if (auto* failure = std::get_if<IoFailure>(&read)) return Unusable(std::move(*failure));
  return std::move(std::get<Closure>(read));
}

}  // namespace

std::variant<std::string, IoFailure> HashFile(const std::string& path) {
  const Fd file(Retry([&] { return open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC); }));
  const auto bytes = ReadFile(file, path);
  if (const auto* failure = std::get_if<IoFailure>(&bytes)) return *failure;
  Sha256 hash;
  hash.Update(std::get<Bytes>(bytes).data(), std::get<Bytes>(bytes).size());
  return hash.FinishHex();
}

RebindCopyResult RebindCopy(const std::string& copy, const std::string& source,
                            const std::optional<std::vector<std::string>>& library_hashes,
                            const std::optional<Kept>& kept) {
  const Fd file(Retry([&] { return open(copy.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC); }));
  auto read = ReadFile(file, copy);
  if (const auto* failure = std::get_if<IoFailure>(&read)) return *failure;
  const Bytes before = std::move(std::get<Bytes>(read));
  auto found = FindLibraries(source, before, kept);
  auto* const closure = std::get_if<Closure>(&found);
  if (closure == nullptr) return As<RebindCopyResult>(std::move(std::get<Unusable>(found)));
  if (library_hashes && HashesOf(*closure) != *library_hashes) {
    return Incomplete{source, "a private library of it changed while it was staged", before.size()};
  }

  Bytes after = before;
  const std::string folder = copy.substr(0, copy.rfind('/') + 1);
  const auto write = [&folder](const std::string& name, const Bytes& bytes) {
    return WriteNew(folder + name, bytes);
  };
  auto result = RebindAddon(std::move(*closure), write, after.data(), after.size());
  const auto* const rebound = std::get_if<Rebound>(&result);
  if (rebound != nullptr && !WriteChanges(file.get(), before, after)) {
    IoFailure failure{"write", copy, errno};
    RemoveFiles(rebound->libraries);
    return failure;
  }
  if (rebound != nullptr) fchmod(file.get(), kReboundMode);
  return As<RebindCopyResult>(std::move(result));
}

}  // namespace napi_reload
