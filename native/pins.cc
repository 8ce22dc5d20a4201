#include "pins.h"

namespace napi_reload {

const char* PinName(PinKind kind) {
  switch (kind) {
    case PinKind::kFrames:
      return "frame";
    case PinKind::kAsyncWork:
      return "async-work";
    case PinKind::kPostedFinalizer:
      return "posted-finalizer";
    case PinKind::kAsyncHook:
      return "async-cleanup-hook";
    case PinKind::kUvWork:
      return "uv-work";
    case PinKind::kExternalBuffer:
      return "external-buffer";
    case PinKind::kExternalString:
      return "external-string";
    case PinKind::kSharedBuffer:
      return "shared-buffer";
    case PinKind::kWrappedObject:
      return "wrapped-object";
    case PinKind::kExternal:
      return "external";
    case PinKind::kThreadsafeFunction:
      return "threadsafe-function";
    case PinKind::kThread:
      return "thread";
    case PinKind::kThreadLocal:
      return "thread-local";
    case PinKind::kSignalHandler:
      return "signal-handler";
    case PinKind::kUvHandle:
      return "uv-handle";
    case PinKind::kUvRequest:
      return "uv-request";
  }
  return "unknown";
}

}  // namespace napi_reload
