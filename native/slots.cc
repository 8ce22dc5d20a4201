#include "slots.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "object_numbers.h"

namespace napi_reload {
namespace {

constexpr size_t kThunks = 2048;

// Two slots of one cache line would be two functions that slow each other down in two threads.
struct alignas(64) PooledSlot : Slot {};

std::array<PooledSlot, kThunks> pool;

size_t PoolIndex(const Slot* slot) {
  return static_cast<size_t>(static_cast<const PooledSlot*>(slot) - pool.data());
}

// Indexes of the pool that were freed, and how many were ever used.
struct FreeList {
  std::mutex mutex;
  std::vector<uint32_t> free;
  size_t used_max = 0;
  size_t heap = 0;
};

FreeList& free_list() {
  static FreeList* const list = new FreeList;
  return *list;
}

// An exception that the addon left pending in the env that the call entered belongs to the env
// that the function object was made in: Node looks only there.
napi_value MoveException(napi_env from, napi_env to, napi_value result) {
  bool pending = false;
  if (napi_is_exception_pending(from, &pending) != napi_ok || !pending) return result;
  napi_value error = nullptr;
  napi_get_and_clear_last_exception(from, &error);
  napi_throw(to, error);
  return nullptr;
}

__attribute__((noinline, cold)) napi_value Attend(napi_env env, Gate* gate, napi_value result) {
  if ((gate->attention & Gate::kException) != 0) {
    gate->attention &= ~uint32_t{Gate::kException};
    if (gate->env != env) result = MoveException(gate->env, env, result);
  }
  if ((gate->attention & Gate::kSettle) != 0 && gate->frames == 0) SettleGate(gate);
  return result;
}

__attribute__((noinline)) napi_value Enter(napi_env env, napi_callback_info info,
                                           const Slot* slot) noexcept {
  // Read before the call: it may re-point the slot or, having lost its last reference, free it.
  Gate* const gate = slot->gate;
  ++gate->frames;
  const napi_value result = slot->callback(slot->env, info);
  --gate->frames;
  if (__builtin_expect(gate->attention != 0, 0)) return Attend(env, gate, result);
  return result;
}

template <size_t kIndex>
napi_value PoolThunk(napi_env env, napi_callback_info info) noexcept {
  return Enter(env, info, &pool[kIndex]);
}

// By halves: an index_sequence of the pool would make symbol names of kilobytes. Not inlined: one
// function with all the stores takes the compiler half a minute.
template <size_t kFirst, size_t kCount>
__attribute__((noinline)) void FillThunks(std::array<napi_callback, kThunks>* thunks) {
  if constexpr (kCount == 1) {
    (*thunks)[kFirst] = &PoolThunk<kFirst>;
  } else {
    FillThunks<kFirst, kCount / 2>(thunks);
    FillThunks<kFirst + kCount / 2, kCount - kCount / 2>(thunks);
  }
}

const std::array<napi_callback, kThunks>& thunks() {
  static const std::array<napi_callback, kThunks>* const thunks = [] {
    auto* const made = new std::array<napi_callback, kThunks>;
    FillThunks<0, kThunks>(made);
    return made;
  }();
  return *thunks;
}

Slot* SlotOfCall(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<Slot*>(data);
}

napi_value HeapThunk(napi_env env, napi_callback_info info) noexcept {
  return Enter(env, info, SlotOfCall(env, info));
}

napi_value HeapSetterThunk(napi_env env, napi_callback_info info) noexcept {
  return Enter(env, info, SlotOfCall(env, info)->setter);
}

napi_value ThrowUnloaded(napi_env env, napi_callback_info info) noexcept {
  const Slot* const slot = SlotOfCall(env, info);
  slot->gate->attention |= Gate::kException;
  const std::string message = "Cannot call into version " + std::to_string(slot->gate->version_id) +
                              " of \"" + slot->gate->source + "\": it was unloaded";
  napi_throw_error(env, "ERR_VERSION_UNLOADED", message.c_str());
  return nullptr;
}

void Detach(Slot* slot) {
  slot->Unlink();
  Gate* const gate = slot->gate;
  slot->gate = nullptr;
  --gate->slot_count;
  if (gate->frames == 0) {
    SettleGate(gate);
  } else {
    gate->attention |= Gate::kSettle;
  }
}

void Attach(Slot* slot, Gate* gate) {
  slot->gate = gate;
  ++gate->slot_count;
  gate->slots.PushBack(slot);
}

// What a facade calls by default may outlive it, and must not lead to its slot then.
void Unwrap(napi_env env, napi_ref enter) {
  napi_value value = nullptr;
  if (napi_get_reference_value(env, enter, &value) == napi_ok && value != nullptr) {
    napi_remove_wrap(env, value, nullptr);
  }
  napi_delete_reference(env, enter);
}

void OnFunctionCollected(napi_env env, void* data, void*) {
  auto* const slot = static_cast<Slot*>(data);
  napi_delete_reference(env, std::exchange(slot->function, nullptr));
  if (slot->enter != nullptr) Unwrap(env, std::exchange(slot->enter, nullptr));
  slot->tracked = false;
  // A pair has one data in Node, the getter: it stays until both functions are gone.
  if (slot->setter != nullptr && slot->setter->tracked) return;
  if (slot->getter != nullptr && slot->getter->tracked) return;
  FreeSlot(slot->getter != nullptr ? slot->getter : slot);
}

}  // namespace

void SettleGate(Gate* gate) {
  gate->attention &= ~uint32_t{Gate::kSettle};
  for (const Gate::Displaced& one : std::exchange(gate->displaced, {})) {
    if (one.target->function != nullptr) {
      napi_reference_unref(gate->env, one.target->function, nullptr);
    }
  }
  if (!gate->owned && gate->slot_count == 0) delete gate;
}

Slot* NewSlot(Gate* gate, napi_callback callback, void* data, bool pooled) {
  Slot* slot = nullptr;
  {
    FreeList& list = free_list();
    std::lock_guard<std::mutex> lock(list.mutex);
    if (pooled && !list.free.empty()) {
      slot = &pool[list.free.back()];
      list.free.pop_back();
    } else if (pooled && list.used_max < kThunks) {
      slot = &pool[list.used_max++];
    } else {
      ++list.heap;
    }
  }
  const bool from_pool = slot != nullptr;
  if (!from_pool) slot = new Slot;
  slot->pooled = from_pool;
  slot->callback = gate->revoked ? ThrowUnloaded : callback;
  slot->env = gate->env;
  slot->data = data;
  Attach(slot, gate);
  return slot;
}

void FreeSlot(Slot* slot) {
  if (slot->setter != nullptr) FreeSlot(std::exchange(slot->setter, nullptr));
  Detach(slot);
  slot->function = nullptr;
  slot->getter = nullptr;
  slot->data = nullptr;
  slot->target = nullptr;
  slot->class_id = 0;
  slot->constructs = false;
  slot->of_class = false;
  slot->tracked = false;
  FreeList& list = free_list();
  if (!slot->pooled) {
    delete slot;
    std::lock_guard<std::mutex> lock(list.mutex);
    --list.heap;
    return;
  }
  std::lock_guard<std::mutex> lock(list.mutex);
  list.free.push_back(static_cast<uint32_t>(PoolIndex(slot)));
}

napi_callback ThunkOf(const Slot* slot) {
  return slot->pooled ? thunks()[PoolIndex(slot)] : HeapThunk;
}

napi_callback SetterThunkOf(const Slot* getter) {
  return getter->setter->pooled ? ThunkOf(getter->setter) : HeapSetterThunk;
}

napi_status TrackFunction(napi_env env, napi_value function, Slot* slot) {
  const napi_status status =
      napi_add_finalizer(env, function, slot, OnFunctionCollected, nullptr, &slot->function);
  slot->tracked = status == napi_ok;
  return status;
}

void FreeUntracked(Gate* gate) {
  Slot* next = nullptr;
  for (Slot* slot = gate->slots.front(); slot != nullptr; slot = next) {
    next = gate->slots.After(slot);
    if (slot->tracked || slot->setter != nullptr || slot->getter != nullptr) continue;
    FreeSlot(slot);
  }
}

void Retarget(Slot* slot, const Slot* target) {
  Gate* const left = slot->gate;
  if (left->frames > 0) {
    if (slot->target->function != nullptr) {
      napi_reference_ref(left->env, slot->target->function, nullptr);
    }
    left->displaced.push_back({slot, slot->target, slot->data});
    left->attention |= Gate::kSettle;
  }
  slot->callback = target->callback;
  slot->env = target->env;
  slot->data = target->data;
  slot->target = target;
  Detach(slot);
  Attach(slot, target->gate);
}

void Revoke(Gate* gate) {
  gate->revoked = true;
  for (Slot* slot = gate->slots.front(); slot != nullptr; slot = gate->slots.After(slot)) {
    slot->callback = ThrowUnloaded;
    slot->data = nullptr;
  }
}

void DropGate(Gate* gate) {
  delete std::exchange(gate->unwrapped, nullptr);
  gate->owned = false;
  gate->attention |= Gate::kSettle;
  if (gate->frames == 0) SettleGate(gate);
}

SlotUse CountSlots() {
  FreeList& list = free_list();
  std::lock_guard<std::mutex> lock(list.mutex);
  return {list.used_max - list.free.size(), list.heap};
}

}  // namespace napi_reload
