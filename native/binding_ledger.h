// The part of the binding that loads versions through the ledger and ends them.

#ifndef NAPI_RELOAD_BINDING_LEDGER_H_
#define NAPI_RELOAD_BINDING_LEDGER_H_

#include "napi.h"

namespace napi_reload {

class Version;

// The version of a handle; nullptr once it has ended, and for what is no handle.
Version* VersionOf(Napi::Value handle);

// Adds its functions to what the shim exports. Once for each env.
void AddLedger(Napi::Env env, Napi::Object exports, Napi::Object internals);

// Adds those that make facades. Once for each env.
void AddFacades(Napi::Env env, Napi::Object exports);

// Adds those that move instances.
void AddInstances(Napi::Env env, Napi::Object exports);

// Adds those for memory that no version owns. Once for each env, before any version of it.
void AddMemory(Napi::Env env, Napi::Object exports);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_BINDING_LEDGER_H_
