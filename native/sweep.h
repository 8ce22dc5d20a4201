// Names of stage directories, and the removal of those whose owner has ended.
//
// Threads: any; the caller holds the lock of the folder that the directories are in.

#ifndef NAPI_RELOAD_SWEEP_H_
#define NAPI_RELOAD_SWEEP_H_

#include <string>
#include <string_view>
#include <vector>

namespace napi_reload {

// In a folder of stage directories: held while one is made or swept. In a stage directory: held
// while it is in use.
inline constexpr char kLockName[] = ".lock";

// `<name>-<pid>-<16 hexadecimal digits>`; characters outside [A-Za-z0-9._-] become `_`. Empty when
// the system has no random bytes to give. The process id is for people: nothing depends on it.
std::string NewDirectoryName(std::string_view name);
// 16 random hexadecimal digits, or nothing.
std::string RandomHex();

// Removes those directories in `parent_fd` that have a name of ours, belong to this user and whose
// lock nobody holds, and returns their names. Everything else is left alone. What can't be removed
// is left for the next time.
std::vector<std::string> SweepDirectories(int parent_fd);

// Removes the files right in a directory whose names begin so. Allocates nothing but the system's
// own buffer to list a directory; where that fails they stay.
void RemoveFilesOf(int directory_fd, std::string_view prefix) noexcept;

// Removes a directory and the files right in it, following no symbolic link. A directory inside it
// keeps both.
bool RemoveDirectory(int parent_fd, const std::string& name, int directory_fd) noexcept;

}  // namespace napi_reload

#endif  // NAPI_RELOAD_SWEEP_H_
