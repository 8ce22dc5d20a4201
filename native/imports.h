// What the names that an image imports mean for its unloading.
//
// Threads: any; no state is shared. Bytes may be hostile.

#ifndef NAPI_RELOAD_IMPORTS_H_
#define NAPI_RELOAD_IMPORTS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "elf.h"

namespace napi_reload {

// A function of libuv.
bool IsUv(std::string_view name);
// One that is given a callback for later without a handle that uv_walk() finds.
bool IsUvRequest(std::string_view name);
// Starts of threads that libstdc++ had before GCC 6, and others that nothing follows.
bool IsUnfollowed(std::string_view name);
// What V8 and Node.js themselves are given is in no ledger.
bool IsPastNodeApi(std::string_view name);

// Whether the image looks Node-API functions up by name while it runs: it imports dlsym, and has
// their names elsewhere than among its imports.
bool LooksUpNodeApi(const elf::Image& image, const uint8_t* data, size_t size);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_IMPORTS_H_
