// Opens a staged file ahead of Node, and counts what is mapped.
//
// Threads: the JS thread of the version. Failure: the loader's own words; a hostile image can still
// end the process, as any code that is loaded can.

#ifndef NAPI_RELOAD_PROBE_H_
#define NAPI_RELOAD_PROBE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace napi_reload {

// Sole owner of one reference to a loaded image.
class LoadedImage {
 public:
  LoadedImage(LoadedImage&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  LoadedImage& operator=(LoadedImage&&) = delete;
  LoadedImage(const LoadedImage&) = delete;
  LoadedImage& operator=(const LoadedImage&) = delete;
  ~LoadedImage() { Close(); }

  // RTLD_NOW, so that an undefined symbol is refused here instead of in the first call; local, so
  // that later versions do not bind to this one's symbols. Runs the image's constructors. On
  // failure the loader's message.
  static std::variant<LoadedImage, std::string> Open(const std::string& path);

  // What `node_api_module_get_api_version_v1` returns; nullopt where there is no such function.
  std::optional<int32_t> ApiVersion() const;

  // Lets go of the reference; the image stays while anyone else has one. Idempotent.
  void Close() noexcept;

 private:
  explicit LoadedImage(void* handle) : handle_(handle) {}

  void* handle_;
};

// Memory mappings of this process; 0 where /proc can't be read.
uint64_t CountProcessMappings();

}  // namespace napi_reload

#endif  // NAPI_RELOAD_PROBE_H_
