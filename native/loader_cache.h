// The loader's own list of libraries, /etc/ld.so.cache, which ldconfig(8) writes.
//
// Ownership: owns its bytes. Threads: any. Failure: what can't be read holds nothing.

#ifndef NAPI_RELOAD_LOADER_CACHE_H_
#define NAPI_RELOAD_LOADER_CACHE_H_

#include <string>
#include <vector>

namespace napi_reload {

class LoaderCache {
 public:
  // Read once.
  static const LoaderCache& OfSystem();

  explicit LoaderCache(std::string bytes);

  // Where libraries of this name are, of whatever processor.
  std::vector<std::string> Find(const std::string& name) const;

 private:
  // A text that ends before the end of the bytes; empty for any other.
  std::string TextAt(size_t offset) const;

  std::string bytes_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_LOADER_CACHE_H_
