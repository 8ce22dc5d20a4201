// The Node-API version that an addon asks for, read from its code instead of running it.

#ifndef NAPI_RELOAD_API_VERSION_H_
#define NAPI_RELOAD_API_VERSION_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace napi_reload {

// What the function returns whose code begins here, for an image of this machine (EM_X86_64, …):
// nullopt when it does more than to return a constant. Any thread; the bytes may be hostile.
std::optional<int32_t> ReadConstantFunction(uint16_t machine, const uint8_t* code, size_t size);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_API_VERSION_H_
