// Rebinds a staged copy together with the private libraries that it needs.
//
// The loader takes a library by its name and keeps the first it saw: a rebuilt libcore.so is never
// picked up. So each private library is copied beside the staged addon under a name that no other
// version has, and both are rewritten to that name. A library is private when it is found through
// the addon's own RPATH or RUNPATH outside of the system's directories, and is none of the
// toolchain's.
//
// Threads: any; file system work, good for a pool. The source files are only read.

#ifndef NAPI_RELOAD_PRIVATE_LIBRARIES_H_
#define NAPI_RELOAD_PRIVATE_LIBRARIES_H_

#include <string>
#include <vector>

#include "rebind.h"

namespace napi_reload {

struct PrivateLibrary {
  std::string source;
  std::string staged;
};

struct RebindAddonResult {
  RebindResult addon;  // with the refusal of a library, too
  // Dependencies before those that need them: the order in which to open them.
  std::vector<PrivateLibrary> libraries;
};

// Rewrites the bytes of a staged copy of `source` (mapped shared, or read and to be written) and
// stages its private libraries in `directory`, where the copy is or will be. On a refusal the bytes
// may be half-written and no library is left.
RebindAddonResult RebindAddon(const std::string& source, const std::string& directory,
                              uint8_t* data, size_t size);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_PRIVATE_LIBRARIES_H_
