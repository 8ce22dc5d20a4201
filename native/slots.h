// The path of a call. Each function object that an addon makes gets a slot; Node is given the
// slot's thunk, which is a function of the shim for ever, and the slot's address as its data.
//
// A thunk knows its slot at compile time, so that a call needs no look-up: it loads the slot's
// address and jumps to the one function that all share. A slot can be re-pointed: the same function
// object then enters another version's code. A function beyond the pool, or a member of a class,
// has a slot of the heap and the thunk that asks Node for its data (about 4 ns more).
//
// Lifetimes: a slot is freed by the finalizer of its function object, or with its env. A Gate is
// freed when its owner, a Version or a Home (facades.h), has dropped it and no slot enters it.
// Threads: a slot belongs to the thread of its env; the free list of the pool has a mutex, taken
// when a function is made or freed.

#ifndef NAPI_RELOAD_SLOTS_H_
#define NAPI_RELOAD_SLOTS_H_

#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "list.h"

namespace napi_reload {

class Version;
class ObjectNumbers;
struct Holding;
struct Slot;

// The way into one version in one thread, and what is left of it when the version is gone.
struct Gate {
  // A slot that was re-pointed while calls of this version ran, and what those calls entered. Its
  // function object is held meanwhile: an addon may free the data when that is collected.
  struct Displaced {
    const Slot* slot;
    const Slot* target;
    void* data;
  };

  // The receiver of the method of a class that runs, and what it was found to wrap.
  struct Receiver {
    napi_value self = nullptr;
    Holding* holding = nullptr;
  };

  // A constructor of a class that runs, and the object that it sets up.
  struct Construction {
    const Slot* constructor = nullptr;
    napi_value object = nullptr;
    // Of an object that it takes over from another version (instances.h): what that had wrapped in
    // it, and the call, which was not made by `new` but has to look like it.
    Holding* predecessor = nullptr;
    napi_callback_info call = nullptr;
    bool is_noted = false;  // the object is known to be of the class
  };

  size_t frames = 0;
  // Looked at after each call, as one word: both are rare.
  enum Attention : uint32_t {
    kException = 1,  // some call of Node-API did not return napi_ok
    kSettle = 2,     // there is something to do when the last frame has left
  };
  uint32_t attention = 0;
  napi_env env = nullptr;
  bool owned = true;
  size_t slot_count = 0;
  List<Slot> slots;
  std::vector<Displaced> displaced;
  Receiver receiver;
  size_t wraps_removed = 0;   // a receiver that was noted before one was removed may be stale
  Construction construction;  // the innermost
  // While instances move (instances.h): the version whose instances this one's constructors take.
  Version* takes_from = nullptr;
  // The classes of instances without memory (interpose/classes.h); made when there is one.
  ObjectNumbers* unwrapped = nullptr;
  std::string source;
  uint64_t version_id = 0;
  bool revoked = false;
};

struct Slot : Link {
  napi_callback callback = nullptr;
  napi_env env = nullptr;  // of the version that it enters
  Gate* gate = nullptr;
  void* data = nullptr;
  napi_ref function = nullptr;   // weak, of the env that made it
  Slot* setter = nullptr;        // when it is the getter of a pair: the pair has one data in Node
  Slot* getter = nullptr;        // when it is the setter of a pair
  napi_ref enter = nullptr;      // weak; only a facade has one
  const Slot* target = nullptr;  // of a facade: it enters what this slot enters
  // Of the class whose receivers the ledger checks (interpose/classes.h); 0 for none.
  uint64_t class_id = 0;
  bool constructs = false;  // it is the constructor of that class
  bool of_class = false;    // a constructor or a method: Node or the ledger looks at its receiver
  bool pooled = false;
  bool tracked = false;  // a finalizer will come
};

// Forgets what only running calls needed, and frees the gate when nothing needs it.
void SettleGate(Gate* gate);

inline void EnterGate(Gate* gate) { ++gate->frames; }
inline void LeaveGate(Gate* gate) {
  --gate->frames;
  const bool settle = (gate->attention & Gate::kSettle) != 0;
  if (__builtin_expect(settle, 0) && gate->frames == 0) SettleGate(gate);
}

// A slot that enters `gate`. Never fails but by running out of memory.
Slot* NewSlot(Gate* gate, napi_callback callback, void* data, bool pooled);
void FreeSlot(Slot* slot);
// The function that Node shall call for it.
napi_callback ThunkOf(const Slot* slot);
napi_callback SetterThunkOf(const Slot* getter);

// Ties the slot to the function object: it is freed when that is collected.
napi_status TrackFunction(napi_env env, napi_value function, Slot* slot);

// From now on `slot`, which is one of a facade, enters what `target` enters.
void Retarget(Slot* slot, const Slot* target);

// All slots that enter the gate throw ERR_VERSION_UNLOADED from now on.
void Revoke(Gate* gate);
// Called when its owner has ended; frees the gate if no slot needs it.
void DropGate(Gate* gate);

// Frees the slots of a version's gate that no finalizer will free, when its env ends.
void FreeUntracked(Gate* gate);

// Slots of the pool in use, and of the heap.
struct SlotUse {
  size_t pooled;
  size_t heap;
};
SlotUse CountSlots();

}  // namespace napi_reload

#endif  // NAPI_RELOAD_SLOTS_H_
