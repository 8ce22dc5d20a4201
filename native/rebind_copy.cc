#include "rebind_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "hash.h"
#include "private_libraries.h"

namespace napi_reload {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr mode_t kReboundMode = 0400;
// Unit in which changed bytes are written back.
constexpr size_t kBlockBytes = 4096;

bool ReadAll(int fd, Bytes* bytes) {
  size_t done = 0;
  while (done < bytes->size()) {
    const ssize_t got = Retry([&] {
      return pread(fd, bytes->data() + done, bytes->size() - done, static_cast<off_t>(done));
    });
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

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

void Remove(const std::vector<std::string>& files) {
  for (const auto& file : files) unlink(file.c_str());
}

std::variant<Bytes, IoFailure> ReadFile(const Fd& file, const std::string& path) {
  if (!file.ok()) return IoFailure{"open", path, errno};
  struct stat status;
  if (fstat(file.get(), &status) != 0) return IoFailure{"fstat", path, errno};
  Bytes bytes(static_cast<size_t>(status.st_size));
  if (!ReadAll(file.get(), &bytes)) return IoFailure{"read", path, errno};
  return bytes;
}

}  // namespace

Rebound ToRebound(RebindAddonResult result) {
  Rebound rebound;
  for (auto& library : result.libraries) rebound.libraries.push_back(std::move(library.staged));
  rebound.unique_healed = result.addon.unique_healed;
  rebound.uses_uv = result.addon.uses_uv;
  rebound.uses_uv_requests = result.addon.uses_uv_requests;
  return rebound;
}

std::variant<std::string, IoFailure> HashFile(const std::string& path) {
  const Fd file(Retry([&] { return open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC); }));
  const auto bytes = ReadFile(file, path);
  if (const auto* failure = std::get_if<IoFailure>(&bytes)) return *failure;
  Sha256 hash;
  hash.Update(std::get<Bytes>(bytes).data(), std::get<Bytes>(bytes).size());
  return hash.FinishHex();
}

RebindCopyResult RebindCopy(const std::string& copy, const std::string& source) {
  const Fd file(Retry([&] { return open(copy.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC); }));
  auto read = ReadFile(file, copy);
  if (const auto* failure = std::get_if<IoFailure>(&read)) return *failure;
  const Bytes before = std::move(std::get<Bytes>(read));
  Bytes after = before;
  auto result = RebindAddon(source, copy.substr(0, copy.rfind('/')), after.data(), after.size());
  if (!result.addon.ok()) return Refused{std::move(result.addon.refusal)};

  Rebound rebound = ToRebound(std::move(result));
  if (!WriteChanges(file.get(), before, after)) {
    IoFailure failure{"write", copy, errno};
    Remove(rebound.libraries);
    return failure;
  }
  fchmod(file.get(), kReboundMode);
  return rebound;
}

}  // namespace napi_reload
