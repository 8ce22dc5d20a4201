#include "probe.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "posix.h"

namespace napi_reload {

std::variant<LoadedImage, std::string> LoadedImage::Open(const std::string& path) {
  if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return LoadedImage(handle);
  const char* words = dlerror();
  return std::string(words != nullptr ? words : "the loader gave no reason");
}

std::optional<int32_t> LoadedImage::ApiVersion() const {
  using GetApiVersion = int32_t (*)();
  void* symbol = dlsym(handle_, "node_api_module_get_api_version_v1");
  if (symbol == nullptr) return std::nullopt;
  return reinterpret_cast<GetApiVersion>(symbol)();
}

void LoadedImage::Close() noexcept {
  if (handle_ != nullptr) dlclose(std::exchange(handle_, nullptr));
}

uint64_t CountProcessMappings() {
  const Fd maps(Retry([] { return open("/proc/self/maps", O_RDONLY | O_CLOEXEC); }));
  if (!maps.ok()) return 0;
  char buffer[16 * 1024];
  uint64_t lines = 0;
  for (;;) {
    const ssize_t got = Retry([&] { return read(maps.get(), buffer, sizeof(buffer)); });
    if (got <= 0) return lines;
    lines += static_cast<uint64_t>(std::count(buffer, buffer + got, '\n'));
  }
}

}  // namespace napi_reload
