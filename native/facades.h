// Function objects that outlive versions. A facade is a function of the shim's own env whose slot
// is re-pointed at each reload: at the slot of a function that the live version made, so that a
// call enters its code directly, or at the Home of its env, where it calls a function of
// JavaScript, for all that the ledger has no slot of.
//
// Lifetimes; each keeps a call from entering what is gone:
// 1. A facade does not keep what it enters: its maker holds the target, and `enter`, for as long as
//    the function object of the facade lives. An addon may free a function's data with it.
// 2. A facade forbids nobody to unload: its slot is revoked like those of the version it enters.
// 3. A Home is dropped when its env ends; its gate goes with the last facade.
//
// Threads: all of it belongs to the env's thread.

#ifndef NAPI_RELOAD_FACADES_H_
#define NAPI_RELOAD_FACADES_H_

#include <node_api.h>

#include <string>

#include "slots.h"

namespace napi_reload {

struct Home;

// Once for each env. It frees itself when the env ends.
Home* NewHome(napi_env env);

// A function object that enters `enter(newTarget, ...arguments)`, until it is re-pointed.
napi_status MakeFacade(Home* home, const std::string& name, napi_value enter, napi_value* result);

// The slot of the facade that was made for `enter`; nullptr when it is none, or was collected.
Slot* FacadeOf(napi_env env, napi_value enter);

// Back to calling `enter`.
void SendHome(Home* home, Slot* facade);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_FACADES_H_
