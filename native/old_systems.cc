// What headers of today call and old systems lack: each is defined here, for the shim alone. They
// are known by their symbols, as the headers declare them otherwise than they can be defined.

#ifdef NAPI_RELOAD_OLD_SYSTEMS

#include <cxxabi.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <typeinfo>

namespace napi_reload {

// glibc 2.32: counts of std::shared_ptr need no atomics in a process with one thread. Node.js never
// is one.
char single_threaded __asm__("__libc_single_threaded") = 0;

// glibc 2.33. The structure of the C library is the kernel's on this processor.
int Stat(const char* path, struct stat* found) __asm__("stat64");
int Stat(const char* path, struct stat* found) {
  return static_cast<int>(syscall(SYS_stat, path, found));
}

int StatLink(const char* path, struct stat* found) __asm__("lstat64");
int StatLink(const char* path, struct stat* found) {
  return static_cast<int>(syscall(SYS_lstat, path, found));
}

int StatOpen(int descriptor, struct stat* found) __asm__("fstat64");
int StatOpen(int descriptor, struct stat* found) {
  return static_cast<int>(syscall(SYS_fstat, descriptor, found));
}

// glibc 2.30: a wait by a clock that nobody sets. Where it is missing, the time that is left is
// counted by the other clock, as std::condition_variable did before; it looks at its own clock
// when it has waited.
int WaitUntil(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
              const timespec* deadline) __asm__("pthread_cond_clockwait");
int WaitUntil(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
              const timespec* deadline) {
  static const auto real =
      reinterpret_cast<decltype(&WaitUntil)>(dlsym(RTLD_DEFAULT, "pthread_cond_clockwait"));
  if (real != nullptr) return real(condition, mutex, clock, deadline);
  constexpr long kNanosecondsPerSecond = 1'000'000'000;
  timespec now{};
  timespec until{};
  if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &until) != 0) return EINVAL;
  until.tv_sec += deadline->tv_sec - now.tv_sec;
  until.tv_nsec += deadline->tv_nsec - now.tv_nsec;
  if (until.tv_nsec < 0) {
    until.tv_nsec += kNanosecondsPerSecond;
    --until.tv_sec;
  } else if (until.tv_nsec >= kNanosecondsPerSecond) {
    until.tv_nsec -= kNanosecondsPerSecond;
    ++until.tv_sec;
  }
  return pthread_cond_timedwait(condition, mutex, &until);
}

// libstdc++ of GCC 11: std::__throw_bad_array_new_length().
[[noreturn]] void ThrowBadLength() __asm__("_ZSt28__throw_bad_array_new_lengthv");
void ThrowBadLength() { abi::__cxa_throw_bad_array_new_length(); }

// libstdc++ of GCC 9: std::_Sp_make_shared_tag::_S_eq(), whether it is the tag of another library.
// Shared pointers of the shim never come from one.
bool IsForeignTag(const std::type_info& type) __asm__(
    "_ZNSt19_Sp_make_shared_tag5_S_eqERKSt9type_info");
bool IsForeignTag(const std::type_info&) { return false; }

}  // namespace napi_reload

#endif
