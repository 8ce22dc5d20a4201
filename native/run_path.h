// Where the loader looks for the libraries that an image needs (ld.so(8)), as far as that makes
// them private ones.
//
// Threads: any. Failure: what can't be opened is passed over, as the loader does.

#ifndef NAPI_RELOAD_RUN_PATH_H_
#define NAPI_RELOAD_RUN_PATH_H_

#include <string>
#include <vector>

#include "elf.h"

namespace napi_reload {

struct RunPath {
  // Where names without a slash are looked for, in this order.
  std::vector<std::string> folders;
  // DT_RPATH of the image and of those that led to it: it serves the libraries below, too.
  std::vector<std::string> passed_on;
  // LD_LIBRARY_PATH comes after DT_RPATH and before DT_RUNPATH.
  bool after_environment = false;
  std::string origin;  // what $ORIGIN stands for
};

// `path` is where the image was found, links in it unresolved: $ORIGIN is the folder of that.
// `inherited` is `passed_on` of the image that needs it.
RunPath ReadRunPath(const elf::Image& image, const std::string& path,
                    const std::vector<std::string>& inherited);

// The file that the loader takes for a name in DT_NEEDED, if it is a private library: one that is
// found by a run path or by its absolute path, is none of the toolchain's, and lies outside of the
// system's folders. Else empty. Appends each path outside of the system's that was
// looked at.
std::string FindPrivate(const std::string& name, const RunPath& run_path,
                        std::vector<std::string>* looked);

// The file that the loader takes for a name in DT_NEEDED, wherever it is; empty when there is none.
// One that is in the process already is not asked for.
std::string FindLibrary(const std::string& name, const RunPath& run_path);

// The path with all links resolved; the path itself when there is no such file.
std::string RealPath(const std::string& path);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_RUN_PATH_H_
