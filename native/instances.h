// Live instances: objects that move from one version to another while JavaScript holds them.
//
//   BeginMove ─► the constructors of `to` are called on the objects ─► EndMove
//
// In between, a constructor of `to` that is called, without `new`, on an object that `from` wrapped
// takes it over: the ledger takes the old wrap off the object first, and the constructor sees a
// call by `new` whose object is that one. So the constructors of node-addon-api and of plain C
// serve as they are.
//
// 1. What an object was wrapped with lives on as a holding of `from` that pins nothing. Its
//    finalizer runs once, when `from` ends: work in flight may still use that memory.
// 2. Code of `from` that asks for such an object gets its own memory, code of `to` gets the new.
// 3. EndMove() without success puts each object back as it was. Nothing of `from` has run by then
//    but what it was asked for.
//
// Threads: that of both versions.

#ifndef NAPI_RELOAD_INSTANCES_H_
#define NAPI_RELOAD_INSTANCES_H_

#include <node_api.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "version.h"

namespace napi_reload {

// The live objects that each of these classes of the version made, the oldest first. Nothing for
// what is no class of it. The handles belong to the scope of the caller.
std::vector<std::optional<std::vector<napi_value>>> FindInstances(
    napi_env env, const Version& version, const std::vector<napi_value>& constructors);

struct Ended {
  size_t lost = 0;  // objects that could not be put back
  // What finalizers of `to` threw, which have no caller. The handles belong to the scope of the
  // caller.
  std::vector<napi_value> thrown;
};

void BeginMove(Version* from, Version* to);
// Has nothing to say when `succeeded`.
Ended EndMove(Version* from, Version* to, bool succeeded);

// For a constructor that was called on an object: takes it over, and returns what it was wrapped
// with. nullptr when it is none that `from` wrapped.
Holding* TakeOver(Version* from, napi_value object);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_INSTANCES_H_
