// What an image wants of others, and what else its tables tell without being loaded: for a
// diagnosis, where facts.h has what each reload needs.
//
// Ownership: the result owns its strings. Threads: any. Bytes may be hostile. Failure: what can't
// be read is absent.

#ifndef NAPI_RELOAD_ANATOMY_H_
#define NAPI_RELOAD_ANATOMY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "elf.h"

namespace napi_reload {

struct Import {
  std::string name;
  std::string version;  // such as GLIBC_2.34; empty where any will do
  std::string library;  // that is to have this version
  bool weak = false;    // the loader does without it
};

struct Anatomy {
  std::vector<Import> imports;
  // What `node_api_module_get_api_version_v1` returns, where its code is no more than that.
  std::optional<int32_t> api_version;
  // Whether the loader has to make all stacks of the process executable for it.
  bool executable_stack = false;
  std::optional<std::string> rpath;
  std::optional<std::string> runpath;
  bool looks_up_node_api = false;
};

Anatomy ReadAnatomy(const elf::Image& image, const uint8_t* data, size_t size);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_ANATOMY_H_
