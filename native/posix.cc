#include "posix.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace napi_reload {

std::string ErrnoName(int error) {
#define NAPI_RELOAD_ERRNO(name) \
  case name:                    \
    return #name;
  switch (error) {
    NAPI_RELOAD_ERRNO(EACCES)
    NAPI_RELOAD_ERRNO(EAGAIN)
    NAPI_RELOAD_ERRNO(EBADF)
    NAPI_RELOAD_ERRNO(EBUSY)
    NAPI_RELOAD_ERRNO(ECANCELED)
    NAPI_RELOAD_ERRNO(EDQUOT)
    NAPI_RELOAD_ERRNO(EEXIST)
    NAPI_RELOAD_ERRNO(EFBIG)
    NAPI_RELOAD_ERRNO(EINVAL)
    NAPI_RELOAD_ERRNO(EIO)
    NAPI_RELOAD_ERRNO(EISDIR)
    NAPI_RELOAD_ERRNO(ELOOP)
    NAPI_RELOAD_ERRNO(EMFILE)
    NAPI_RELOAD_ERRNO(EMLINK)
    NAPI_RELOAD_ERRNO(ENAMETOOLONG)
    NAPI_RELOAD_ERRNO(ENFILE)
    NAPI_RELOAD_ERRNO(ENODEV)
    NAPI_RELOAD_ERRNO(ENOENT)
    NAPI_RELOAD_ERRNO(ENOEXEC)
    NAPI_RELOAD_ERRNO(ENOLCK)
    NAPI_RELOAD_ERRNO(ENOMEM)
    NAPI_RELOAD_ERRNO(ENOSPC)
    NAPI_RELOAD_ERRNO(ENOSYS)
    NAPI_RELOAD_ERRNO(ENOTDIR)
    NAPI_RELOAD_ERRNO(ENOTEMPTY)
    NAPI_RELOAD_ERRNO(ENXIO)
    NAPI_RELOAD_ERRNO(EOPNOTSUPP)
    NAPI_RELOAD_ERRNO(EOVERFLOW)
    NAPI_RELOAD_ERRNO(EPERM)
    NAPI_RELOAD_ERRNO(EROFS)
    NAPI_RELOAD_ERRNO(ESTALE)
    NAPI_RELOAD_ERRNO(ETIMEDOUT)
    NAPI_RELOAD_ERRNO(ETXTBSY)
    NAPI_RELOAD_ERRNO(EXDEV)
    default:
      return "errno " + std::to_string(error);
  }
#undef NAPI_RELOAD_ERRNO
}

bool OnMainThread() { return syscall(SYS_gettid) == getpid(); }

bool DieWithParent(int parent_pid) {
  // In this order: a parent that ends in between would be missed by the other one.
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent_pid;
}

void Fd::Close() noexcept {
  if (fd_ < 0) return;
  const int saved = errno;
  // Never repeated after EINTR: on Linux the descriptor is gone by then, and may be another
  // thread's.
  ::close(std::exchange(fd_, -1));
  errno = saved;
}

}  // namespace napi_reload
