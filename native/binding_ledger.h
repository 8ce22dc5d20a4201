// The part of the binding that loads versions through the ledger and ends them.

#ifndef NAPI_RELOAD_BINDING_LEDGER_H_
#define NAPI_RELOAD_BINDING_LEDGER_H_

#include <memory>

#include "napi.h"

namespace napi_reload {

class Round;
class Station;

class Version;

// The version of a handle; nullptr once it has ended, and for what is no handle.
Version* VersionOf(Napi::Value handle);

// The round of a handle; nullptr for what is no handle.
std::shared_ptr<Round> RoundOf(Napi::Value handle);

// Adds those for reloads of all threads. Once for each env, before any version of it. Null, with an
// exception pending, when that fails.
std::shared_ptr<Station> AddThreads(Napi::Env env, Napi::Object exports);

// Adds its functions to what the shim exports. Once for each env.
void AddLedger(Napi::Env env, Napi::Object exports, Napi::Object internals,
               std::shared_ptr<Station> station);

// Adds those that make facades. Once for each env.
void AddFacades(Napi::Env env, Napi::Object exports);

// Adds those that move instances.
void AddInstances(Napi::Env env, Napi::Object exports);

// Adds those for memory that no version owns. Once for each env, before any version of it.
void AddMemory(Napi::Env env, Napi::Object exports);

// Adds the one that looks at an addon without loading it.
void AddDoctor(Napi::Env env, Napi::Object exports);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_BINDING_LEDGER_H_
