// The bytes of a version as they were built, after the build has written others.
//
// A staged copy cannot be staged again: it is rebound, and holds addresses of the version's own
// time. Nothing more is copied for that while a reload waits. A rebound copy differs from its
// source where the rebind wrote, and what stood there was noted (rebind.h): it is put back when
// somebody asks.
//
// Threads: any; file system work, good for a pool. Failure: what is not what it was, by its hash,
// is an IoFailure of the operation "check".

#ifndef NAPI_RELOAD_PRISTINE_H_
#define NAPI_RELOAD_PRISTINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posix.h"
#include "private_libraries.h"
#include "rebind_addon.h"

namespace napi_reload {

// The staged files of a version.
struct Kept {
  std::string path;
  std::string hash;                      // of the addon before it was rebound
  std::vector<std::string> libraries;    // in the order of the closure
  std::shared_ptr<const Origin> origin;  // null: it was not rebound, and has no libraries here
};

std::variant<std::vector<uint8_t>, IoFailure> ReadPristine(const Kept& kept);
std::variant<std::vector<uint8_t>, IoFailure> ReadPristineLibrary(const Kept& kept, size_t index);

// Its libraries with their bytes, for a version that was rebound.
std::variant<Closure, IoFailure> ReadPristineClosure(const Kept& kept);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_PRISTINE_H_
