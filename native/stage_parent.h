// The folder that stage directories are made in: whether code may be loaded from it, and its lock.
//
// Failure: as a value. Nothing is held or kept after one but the folders that were made.

#ifndef NAPI_RELOAD_STAGE_PARENT_H_
#define NAPI_RELOAD_STAGE_PARENT_H_

#include <sys/types.h>

#include <string>
#include <variant>

#include "posix.h"

namespace napi_reload {

inline constexpr mode_t kDirectoryMode = 0700;
inline constexpr mode_t kLockMode = 0600;

// A directory that code must not be loaded from.
struct UnsafeDirectory {
  std::string path;
  std::string found;  // such as "is owned by uid 0, not 1000"
};

// Makes the folder where it is missing, and makes sure that nobody else can put code into it.
std::variant<Fd, UnsafeDirectory, IoFailure> OpenStageParent(const std::string& path);

// Takes the lock of the folder, with a bound: a process that was stopped while it held it must not
// hang this one. Whoever closes what is returned lets go of it.
std::variant<Fd, IoFailure> LockStageParent(int parent_fd, const std::string& path);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_STAGE_PARENT_H_
