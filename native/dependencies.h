// What the loader would not find for an image: libraries, and symbols that nobody gives.
//
// Nothing is loaded: libraries are read as files, by the rules of ld.so(8), and this process is
// asked for what it has already, Node-API among it.
//
// Threads: any; file system work. Bytes may be hostile, of the libraries too.

#ifndef NAPI_RELOAD_DEPENDENCIES_H_
#define NAPI_RELOAD_DEPENDENCIES_H_

#include <string>
#include <vector>

#include "anatomy.h"
#include "elf.h"

namespace napi_reload {

struct MissingLibrary {
  std::string name;
  std::string needed_by;  // a path
};

struct Dependencies {
  std::vector<MissingLibrary> missing;
  // Imports that nobody gives, where a missing library is not the reason; `name@VERSION` where
  // only that version will do.
  std::vector<std::string> undefined;
};

// Of an image for this machine, which is at `path`.
Dependencies FindDependencies(const std::string& path, const elf::Image& image,
                              const std::vector<Import>& imports);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_DEPENDENCIES_H_
