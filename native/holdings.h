// A holding is memory of an addon that Node holds for JavaScript: a wrapped object, an external, a
// buffer, a string, or an object that only has a finalizer.
//
// Node is given the holding instead of the addon's pointer where only this addon asks for it
// (wraps). Holdings come from one reserved stretch of addresses, so that a pointer that Node
// returns is known to be one of ours by comparing it, before anything is read through it.
//
// An external may be handed to any addon, also to one that Node loaded, which would read through
// what Node returns. So Node is given the addon's own pointer there. Externals whose version has
// ended are few, since an external pins; they are known by their values.
//
// Threads: a holding belongs to the thread of its version; allocation takes a mutex.

#ifndef NAPI_RELOAD_HOLDINGS_H_
#define NAPI_RELOAD_HOLDINGS_H_

#include <node_api.h>

#include <cstdint>

#include "list.h"
#include "version.h"

namespace napi_reload {

enum class HoldingKind : uint8_t {
  kWrap,
  kFinalizer,
  kExternal,
  kFunctionData,  // an external that is tied to a function, and no more use than that is
  kBuffer,
  kString,
  kPosted,
  kMoved  // a wrap whose object was taken over by another version (instances.h)
};

struct Holding : Link {
  Version* version = nullptr;  // null for an orphan: its version has ended
  Image* image = nullptr;      // acquired, by an orphan whose finalizer is still to run
  void* data = nullptr;
  void* hint = nullptr;
  napi_finalize finalize = nullptr;
  // Weak: of the object of a wrap or a finalizer, unless `reference` has it, and of an external.
  napi_ref real = nullptr;
  Reference* reference = nullptr;  // what the addon got for it
  size_t bytes = 0;
  // What the object was wrapped with before it moved to another version, and after.
  Holding* older = nullptr;
  Holding* newer = nullptr;
  uint64_t class_id = 0;  // of the class whose constructor wrapped it (interpose/classes.h), or 0
  HoldingKind kind = HoldingKind::kWrap;
  bool finalizing = false;
  bool may_return = false;  // moved, in a move that has not ended yet
  bool is_removed = false;  // and its own version has taken the wrap off meanwhile
};

// Null when the reserved addresses are used up.
Holding* NewHolding(Version* version, HoldingKind kind, napi_finalize finalize, void* data,
                    void* hint, size_t bytes = 0);
// Takes it out of the ledger and frees it.
void FreeHolding(Holding* holding);
// The holding at a pointer that Node returned, or nullptr when it is none of ours.
Holding* HoldingAt(void* pointer);

// The external of this version that is this value and has this pointer, or nullptr.
Holding* FindExternal(napi_env env, const Version* version, napi_value value, const void* data);
// Whether a value that has this pointer is an external whose version has ended, and its memory with
// it.
bool HasEnded(napi_env env, napi_value external, const void* data);

// An external that an addon tied to a function pins no more: a function does not pin either.
void TieToFunction(Holding* holding);

// What Node calls in the addon's stead; `hint` is the holding.
void OnFinalize(napi_env env, void* data, void* hint);
// Runs the addon's finalizer, and lets go of the object. For versions that retire.
void ReleaseHolding(Holding* holding);
// Takes it out of the ledger when its env has ended. Node finalizes strings later than that,
// without an env: they keep the image until then. Of anything else Node will not speak again.
void LeaveBehind(Holding* holding);

// Holdings that live, of all threads.
size_t CountHoldings();

}  // namespace napi_reload

#endif  // NAPI_RELOAD_HOLDINGS_H_
