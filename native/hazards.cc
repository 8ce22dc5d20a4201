#include "hazards.h"

#include <signal.h>
#include <uv.h>

#include <cstdint>
#include <cstring>

namespace napi_reload {

size_t CountSignalHandlers(const Image& image) {
  size_t count = 0;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) != 0) continue;
    const void* const handler = (action.sa_flags & SA_SIGINFO) != 0
                                    ? reinterpret_cast<const void*>(action.sa_sigaction)
                                    : reinterpret_cast<const void*>(action.sa_handler);
    if (image.Contains(handler)) ++count;
  }
  return count;
}

size_t CountUvHandles(const Image& image, napi_env env) {
  if (!image.options().uses_uv) return 0;
  struct Walk {
    const Image* image;
    size_t count;
  } walk = {&image, 0};
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return 0;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* data) {
        auto* const walk = static_cast<Walk*>(data);
        bool inside = walk->image->Contains(handle);
        // The fields differ between versions of libuv; an address of the image is one in all.
        const size_t words = uv_handle_size(uv_handle_get_type(handle)) / sizeof(void*);
        for (size_t index = 0; index < words && !inside; ++index) {
          const void* word;
          std::memcpy(&word, reinterpret_cast<const char*>(handle) + index * sizeof(word),
                      sizeof(word));
          inside = walk->image->Contains(word);
        }
        if (inside) ++walk->count;
      },
      &walk);
  return walk.count;
}

size_t CountUvRequests(const Image& image, napi_env env) {
  if (!image.options().uses_uv_requests) return 0;
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return 0;
  return loop->active_reqs.count;
}

}  // namespace napi_reload
