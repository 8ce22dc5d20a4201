#include "stage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "sweep.h"

namespace napi_reload {
namespace {

// Of a copy that nobody will change any more.
constexpr mode_t kFinishedMode = 0400;
// Writable until it is rebound.
constexpr mode_t kStagedMode = 0600;
// A name of 64 random bits that is taken already is next to impossible; more than a few of them are
// a fault.
constexpr int kNameAttemptsMax = 4;

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

// O_NOFOLLOW looks at the last component only when no slash comes after it.
std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
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
  auto parent = OpenStageParent(parent_path);
  if (auto* unsafe = std::get_if<UnsafeDirectory>(&parent)) return std::move(*unsafe);
  if (auto* failure = std::get_if<IoFailure>(&parent)) return std::move(*failure);
  std::shared_ptr<StageDirectory> directory(new StageDirectory);
  directory->parent_ = std::move(std::get<Fd>(parent));
  const auto lock = LockStageParent(directory->parent_.get(), parent_path);
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
