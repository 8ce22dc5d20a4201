// Why a version can't be unloaded now.

#ifndef NAPI_RELOAD_PINS_H_
#define NAPI_RELOAD_PINS_H_

#include <array>
#include <cstddef>
#include <vector>

namespace napi_reload {

enum class PinKind {
  // Code of the version runs, or is sure to run: nothing but time helps.
  kFrames,           // calls of the version on this thread's stack
  kAsyncWork,        // queued, or its complete callback not returned
  kPostedFinalizer,  // node_api_post_finalizer, not run yet
  kAsyncHook,        // an async cleanup hook that runs
  kUvWork,           // uv_queue_work, after-work callback not returned
  // JavaScript can reach memory or objects of the version.
  kExternalBuffer,
  kExternalString,
  kSharedBuffer,  // an external SharedArrayBuffer, of whatever thread
  kWrappedObject,
  kExternal,
  // The version has to stop these; its cleanup hooks may do it.
  kThreadsafeFunction,
  kThread,
  kThreadLocal,  // destructors of thread_local objects of other threads
  kSignalHandler,
  kUvHandle,
  kUvRequest,  // it uses requests of libuv that can't be followed, and the loop has some
};

inline constexpr size_t kPinKinds = static_cast<size_t>(PinKind::kUvRequest) + 1;

struct Pin {
  PinKind kind;
  size_t count;
  size_t bytes;  // of memory that JavaScript can reach; 0 where that has no meaning
};

// A stable name, such as `external-buffer`.
const char* PinName(PinKind kind);

// Whether the version's cleanup hooks may end it.
inline bool HooksMayEnd(PinKind kind) { return kind >= PinKind::kThreadsafeFunction; }

// Whether it is an object that Retire() may release under JavaScript's hands, leaving an empty one.
inline bool IsReleasable(PinKind kind) {
  return kind == PinKind::kWrappedObject || kind == PinKind::kExternal;
}

// Counts for each kind. Threads: the owner's.
class Tally {
 public:
  void Add(PinKind kind, size_t bytes = 0) {
    Pin& pin = pins_[static_cast<size_t>(kind)];
    ++pin.count;
    pin.bytes += bytes;
  }
  void Remove(PinKind kind, size_t bytes = 0) {
    Pin& pin = pins_[static_cast<size_t>(kind)];
    --pin.count;
    pin.bytes -= bytes;
  }
  const Pin& at(PinKind kind) const { return pins_[static_cast<size_t>(kind)]; }

 private:
  std::array<Pin, kPinKinds> pins_ = {};
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_PINS_H_
