// Pointers into an image that are found by looking: signal handlers of the process, and handles of
// a libuv loop. No function of the addon has to be followed for that.

#ifndef NAPI_RELOAD_HAZARDS_H_
#define NAPI_RELOAD_HAZARDS_H_

#include <node_api.h>

#include <cstddef>

#include "image.h"

namespace napi_reload {

// Signals whose handler is code of the image. Any thread.
size_t CountSignalHandlers(const Image& image);
// Handles of the env's loop that hold, anywhere in them, an address of the image (a callback, or
// the handle itself when it is static). The env's thread.
size_t CountUvHandles(const Image& image, napi_env env);
// Requests of the env's loop, of whomever: libuv has no list of them. 0 for an image that uses none
// whose callback can't be followed. The env's thread.
size_t CountUvRequests(const Image& image, napi_env env);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_HAZARDS_H_
