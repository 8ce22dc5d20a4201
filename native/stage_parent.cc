#include "stage_parent.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "sweep.h"

namespace napi_reload {
namespace {

// How long to wait for another process that makes or sweeps directories in the same folder.
constexpr int kLockWaitMaxMs = 2000;
constexpr int kLockPollMs = 1;

std::optional<IoFailure> MakeDirectories(const std::string& path) {
  size_t end = 0;
  do {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return Failed("mkdir", part);
  } while (end != std::string::npos);
  return std::nullopt;
}

std::optional<UnsafeDirectory> CheckOwnership(const struct stat& status, const std::string& path) {
  if (status.st_uid != geteuid()) {
    return UnsafeDirectory{path, "is owned by uid " + std::to_string(status.st_uid) + ", not " +
                                     std::to_string(geteuid())};
  }
  const mode_t writers = status.st_mode & (S_IWGRP | S_IWOTH);
  if (writers == 0) return std::nullopt;
  char mode[8];
  std::snprintf(mode, sizeof(mode), "%04o", status.st_mode & 07777);
  const char* who = (writers & S_IWOTH) != 0 ? "everyone" : "its group";
  return UnsafeDirectory{path, std::string("is writable by ") + who + " (mode " + mode + ")"};
}

// The user that a container shows for all users that it does not know. Nobody can log in as it.
constexpr uid_t kOverflowUid = 65534;

// Whoever can rename a folder above ours can put another in its place between a check and the load.
// Folders that their group may write to are accepted: many systems give each user a group alone.
std::optional<UnsafeDirectory> CheckAncestors(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> resolved(realpath(path.c_str(), nullptr), free);
  if (resolved == nullptr) return std::nullopt;  // opening it will say why
  std::string ancestor = resolved.get();
  while (ancestor.size() > 1) {
    ancestor.resize(std::max<size_t>(1, ancestor.rfind('/')));
    struct stat status;
    if (stat(ancestor.c_str(), &status) != 0) continue;
    const uid_t owner = status.st_uid;
    if (owner != 0 && owner != geteuid() && owner != kOverflowUid) {
      return UnsafeDirectory{
          path, "lies below \"" + ancestor + "\", which belongs to uid " + std::to_string(owner)};
    }
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
      return UnsafeDirectory{path, "lies below \"" + ancestor + "\", where everyone may rename it"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<Fd, UnsafeDirectory, IoFailure> OpenStageParent(const std::string& path) {
  if (auto failure = MakeDirectories(path)) return std::move(*failure);
  Fd parent(
      Retry([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  if (!parent.ok()) {
    IoFailure failure = Failed("open", path);
    struct stat link;
    if (lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
      return UnsafeDirectory{path, "is a symbolic link"};
    }
    return failure;
  }
  struct stat status;
  if (fstat(parent.get(), &status) != 0) return Failed("fstat", path);
  if (auto unsafe = CheckOwnership(status, path)) return std::move(*unsafe);
  if (auto unsafe = CheckAncestors(path)) return std::move(*unsafe);
  struct statvfs mount;
  if (Retry([&] { return fstatvfs(parent.get(), &mount); }) != 0) return Failed("statvfs", path);
  if ((mount.f_flag & ST_NOEXEC) != 0) return IoFailure{"statvfs", path, ENOEXEC};
  return parent;
}

std::variant<Fd, IoFailure> LockStageParent(int parent_fd, const std::string& path) {
  const std::string lock_path = path + "/" + kLockName;
  Fd lock(Retry([&] {
    return openat(parent_fd, kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kLockMode);
  }));
  if (!lock.ok()) return Failed("open", lock_path);
  for (int waited_ms = 0;; waited_ms += kLockPollMs) {
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK && errno != EINTR) return Failed("flock", lock_path);
    if (waited_ms >= kLockWaitMaxMs) return IoFailure{"flock", lock_path, ETIMEDOUT};
    const timespec pause = {0, kLockPollMs * 1'000'000L};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace napi_reload
