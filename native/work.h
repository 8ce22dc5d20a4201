// Async work of a version.

#ifndef NAPI_RELOAD_WORK_H_
#define NAPI_RELOAD_WORK_H_

#include <node_api.h>

#include "version.h"

namespace napi_reload {

// A napi_async_work as the addon sees it. Freed when it is deleted and no longer queued, whichever
// comes last: it may be deleted in its own complete callback.
struct Work : Link {
  Version* version = nullptr;
  napi_async_execute_callback execute = nullptr;
  napi_async_complete_callback complete = nullptr;
  void* data = nullptr;
  napi_async_work real = nullptr;  // null once deleted
  unsigned queued = 0;
  bool completing = false;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_WORK_H_
