#include "stage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "sweep.h"

namespace napi_reload {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kLockMode = 0600;
// Of a copy that nobody will change any more.
constexpr mode_t kFinishedMode = 0400;
// Writable until it is rebound.
constexpr mode_t kStagedMode = 0600;
// A name of 64 random bits that is taken already is next to impossible; more than a few of them are
// a fault.
constexpr int kNameAttemptsMax = 4;
// How long to wait for another process that makes or sweeps directories in the same folder.
constexpr int kLockWaitMaxMs = 2000;
constexpr int kLockPollMs = 1;

// Every directory that is open in this process, of all threads: the one mutable global. It exists
// because process.exit() on the main thread runs static destructors and no cleanup hooks.
class OpenDirectories {
 public:
  void Add(const std::shared_ptr<StageDirectory>& directory) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto gone = [](const auto& entry) { return entry.expired(); };
    entries_.erase(std::remove_if(entries_.begin(), entries_.end(), gone), entries_.end());
    entries_.push_back(directory);
  }

  void CloseAll() noexcept {
    std::vector<std::weak_ptr<StageDirectory>> entries;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      entries.swap(entries_);
    }
    for (const auto& entry : entries) {
      if (const auto directory = entry.lock()) directory->Close();
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<StageDirectory>> entries_;
};

// Never destroyed: pool threads may still run while the process exits.
OpenDirectories& AllOpen() {
  static auto& all = *new OpenDirectories;
  return all;
}

struct CloseAllAtExit {
  ~CloseAllAtExit() { AllOpen().CloseAll(); }
} close_all_at_exit;

IoFailure Failed(const char* operation, const std::string& path) {
  return IoFailure{operation, path, errno};
}

// O_NOFOLLOW looks at the last component only when no slash comes after it.
std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

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

// Opens the folder of stage directories, and makes sure that nobody else can put code into it.
std::variant<Fd, UnsafeDirectory, IoFailure> OpenParent(const std::string& path) {
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

// Takes the lock of the folder, with a bound: a process that was stopped while it held it must not
// hang this one.
std::variant<Fd, IoFailure> LockParent(int parent_fd, const std::string& path) {
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

}  // namespace

PendingFile::PendingFile(std::shared_ptr<StageDirectory> directory, Fd fd,
                         std::string temporary_name)
    : directory_(std::move(directory)),
      fd_(std::move(fd)),
      temporary_name_(std::move(temporary_name)) {}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : directory_(std::move(other.directory_)),
      fd_(std::move(other.fd_)),
      temporary_name_(std::exchange(other.temporary_name_, {})) {}

PendingFile::~PendingFile() {
  if (!temporary_name_.empty()) directory_->Unlink(temporary_name_);
}

StageDirectory::OpenResult StageDirectory::Open(const std::string& stage_dir,
                                                const std::string& name) {
  const std::string parent_path = WithoutTrailingSlashes(stage_dir);
  auto parent = OpenParent(parent_path);
  if (auto* unsafe = std::get_if<UnsafeDirectory>(&parent)) return std::move(*unsafe);
  if (auto* failure = std::get_if<IoFailure>(&parent)) return std::move(*failure);
  std::shared_ptr<StageDirectory> directory(new StageDirectory);
  directory->parent_ = std::move(std::get<Fd>(parent));
  const auto lock = LockParent(directory->parent_.get(), parent_path);
  if (const auto* failure = std::get_if<IoFailure>(&lock)) return *failure;
  directory->swept_ = SweepDirectories(directory->parent_.get());
  if (auto failure = directory->Create(parent_path, name)) return std::move(*failure);
  AllOpen().Add(directory);
  return directory;
}

std::optional<IoFailure> StageDirectory::Create(const std::string& stage_dir,
                                                const std::string& name) {
  for (int attempt = 0;; ++attempt) {
    name_ = NewDirectoryName(name);
    if (name_.empty()) return Failed("getrandom", stage_dir);
    path_ = stage_dir + "/" + name_;
    if (mkdirat(parent_.get(), name_.c_str(), kDirectoryMode) == 0) break;
    if (errno != EEXIST || attempt == kNameAttemptsMax) return Failed("mkdir", path_);
  }
  owner_ = getpid();  // from here on the destructor removes it
  directory_ = Fd(Retry([&] {
    return openat(parent_.get(), name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }));
  if (!directory_.ok()) {
    IoFailure failure = Failed("open", path_);
    unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
    return failure;
  }
  const std::string lock_path = path_ + "/" + kLockName;
  lock_ = Fd(Retry([&] {
    return openat(directory_.get(), kLockName, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kLockMode);
  }));
  if (!lock_.ok()) return Failed("open", lock_path);
  if (Retry([&] { return flock(lock_.get(), LOCK_EX | LOCK_NB); }) != 0)
    return Failed("flock", lock_path);
  return std::nullopt;
}

void StageDirectory::Close() noexcept {
  const std::lock_guard<std::mutex> guard(mutex_);
  // A forked child that exits without exec runs the parent's destructors.
  if (directory_.ok() && owner_ == getpid()) {
    RemoveDirectory(parent_.get(), name_, directory_.get());
  }
  directory_.Close();
  parent_.Close();
  lock_.Close();
}

bool StageDirectory::closed() {
  const std::lock_guard<std::mutex> guard(mutex_);
  return !directory_.ok();
}

std::variant<PendingFile, IoFailure> StageDirectory::CreateFile() {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!directory_.ok()) return IoFailure{"open", path_, ECANCELED};
  Fd unnamed(Retry(
      [&] { return openat(directory_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kStagedMode); }));
  if (unnamed.ok()) return PendingFile(shared_from_this(), std::move(unnamed), "");
  // EISDIR: a kernel that does not know O_TMPFILE.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return Failed("open", path_);
  const std::string random = RandomHex();
  if (random.empty()) return Failed("getrandom", path_);
  const std::string name = ".new-" + random;
  Fd named(Retry([&] {
    return openat(directory_.get(), name.c_str(),
                  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kStagedMode);
  }));
  if (!named.ok()) return Failed("open", path_ + "/" + name);
  return PendingFile(shared_from_this(), std::move(named), name);
}

std::variant<PendingFile, IoFailure> StageDirectory::CreateNamed(const std::string& name,
                                                                 bool finished) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!directory_.ok()) return IoFailure{"open", path_, ECANCELED};
  Fd file(Retry([&] {
    return openat(directory_.get(), name.c_str(),
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  finished ? kFinishedMode : kStagedMode);
  }));
  if (!file.ok()) return Failed("open", path_ + "/" + name);
  return PendingFile(shared_from_this(), std::move(file), name);
}

std::variant<std::string, IoFailure> StageDirectory::Publish(const PendingFile& file,
                                                             const std::string& name) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const std::string path = path_ + "/" + name;
  if (!directory_.ok()) return IoFailure{"link", path, ECANCELED};
  // A link, and no rename, because it fails where the name is taken.
  const bool has_name = !file.temporary_name().empty();
  const std::string from =
      has_name ? file.temporary_name() : "/proc/self/fd/" + std::to_string(file.fd());
  const int from_fd = has_name ? directory_.get() : AT_FDCWD;
  const int flags = has_name ? 0 : AT_SYMLINK_FOLLOW;
  if (linkat(from_fd, from.c_str(), directory_.get(), name.c_str(), flags) != 0) {
    return Failed("link", path);
  }
  return path;
}

void StageDirectory::UnlinkVersion(int64_t id) noexcept {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!directory_.ok()) return;
  char prefix[24];
  std::snprintf(prefix, sizeof(prefix), "%lld-", static_cast<long long>(id));
  RemoveFilesOf(directory_.get(), prefix);
}

std::optional<IoFailure> StageDirectory::Unlink(const std::string& name) noexcept {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!directory_.ok() || unlinkat(directory_.get(), name.c_str(), 0) == 0 || errno == ENOENT) {
    return std::nullopt;
  }
  return Failed("unlink", path_ + "/" + name);
}

}  // namespace napi_reload
