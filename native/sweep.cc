#include "sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "posix.h"

namespace napi_reload {
namespace {

constexpr size_t kNameBytesMax = 64;
constexpr size_t kRandomDigits = 16;
// Directories removed by one call: a start is never held up by a long history.
constexpr size_t kSweptMax = 256;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
bool IsNameCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
         c == '-';
}

// Reads from the right: the name itself may hold hyphens.
bool IsDirectoryName(std::string_view text) {
  const size_t random_at = text.rfind('-');
  if (random_at == std::string_view::npos || random_at == 0) return false;
  const size_t pid_at = text.rfind('-', random_at - 1);
  if (pid_at == std::string_view::npos || pid_at == 0 || pid_at > kNameBytesMax) return false;
  const std::string_view name = text.substr(0, pid_at);
  const std::string_view pid = text.substr(pid_at + 1, random_at - pid_at - 1);
  const std::string_view random = text.substr(random_at + 1);
  return std::all_of(name.begin(), name.end(), IsNameCharacter) && !pid.empty() &&
         std::all_of(pid.begin(), pid.end(), IsDigit) && random.size() == kRandomDigits &&
         std::all_of(random.begin(), random.end(), IsHexDigit);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// A listing with a place of its own, so that `fd` can be listed again.
std::unique_ptr<DIR, CloseDirectory> List(int fd) {
  const int own = Retry([&] { return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (own < 0) return nullptr;
  DIR* directory = fdopendir(own);
  if (directory == nullptr) close(own);
  return std::unique_ptr<DIR, CloseDirectory>(directory);
}

// The kernel lets go of the lock however the owner ends, also across pid namespaces, where its pid
// says nothing. A directory without a lock file has no owner: both are made under the lock that our
// caller holds.
bool HasOwner(int directory_fd, Fd* lock) {
  *lock =
      Fd(Retry([&] { return openat(directory_fd, kLockName, O_RDWR | O_NOFOLLOW | O_CLOEXEC); }));
  if (!lock->ok()) return errno != ENOENT;
  return Retry([&] { return flock(lock->get(), LOCK_EX | LOCK_NB); }) != 0;
}

bool SweepDirectory(int parent_fd, const char* name) {
  const Fd directory(Retry(
      [&] { return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  struct stat status;
  if (!directory.ok() || fstat(directory.get(), &status) != 0) return false;
  if (status.st_uid != geteuid()) return false;
  Fd lock;
  if (HasOwner(directory.get(), &lock)) return false;
  return RemoveDirectory(parent_fd, name, directory.get());
}

}  // namespace

std::string RandomHex() {
  uint8_t bytes[kRandomDigits / 2];
  const auto got = Retry([&] { return getrandom(bytes, sizeof(bytes), 0); });
  if (got != static_cast<ssize_t>(sizeof(bytes))) return {};
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 0xf]);
  }
  return hex;
}

std::string NewDirectoryName(std::string_view name) {
  std::string clean(name.substr(0, kNameBytesMax));
  if (clean.empty()) clean = "addon";
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return !IsNameCharacter(c); }, '_');
  const std::string random = RandomHex();
  if (random.empty()) return {};
  return clean + "-" + std::to_string(getpid()) + "-" + random;
}

std::vector<std::string> SweepDirectories(int parent_fd) {
  std::vector<std::string> swept;
  const auto listing = List(parent_fd);
  if (!listing) return swept;
  while (const dirent* entry = readdir(listing.get())) {
    if (swept.size() == kSweptMax) break;
    if (!IsDirectoryName(entry->d_name)) continue;
    if (SweepDirectory(parent_fd, entry->d_name)) swept.emplace_back(entry->d_name);
  }
  return swept;
}

void RemoveFilesOf(int directory_fd, std::string_view prefix) noexcept {
  const auto listing = List(directory_fd);
  if (listing == nullptr) return;
  while (const dirent* entry = readdir(listing.get())) {
    if (std::string_view(entry->d_name).substr(0, prefix.size()) != prefix) continue;
    unlinkat(directory_fd, entry->d_name, 0);  // refuses `.`, `..` and directories
  }
}

bool RemoveDirectory(int parent_fd, const std::string& name, int directory_fd) noexcept {
  RemoveFilesOf(directory_fd, "");
  return unlinkat(parent_fd, name.c_str(), AT_REMOVEDIR) == 0;
}

}  // namespace napi_reload
