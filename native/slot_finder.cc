#include "slot_finder.h"

#include "object_numbers.h"

namespace napi_reload {
namespace {

// A look-up by identity costs several comparisons, and takes a map to be made.
constexpr size_t kComparisonsMin = 64;
constexpr size_t kComparisonsOfEach = 4;

bool IsFunction(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

// The function object of a slot that a facade may enter; nullptr for others.
napi_value FunctionOf(napi_env env, const Slot* slot) {
  napi_value function = nullptr;
  if (slot->function == nullptr || slot->enter != nullptr || slot->of_class) return nullptr;
  return napi_get_reference_value(env, slot->function, &function) == napi_ok ? function : nullptr;
}

bool IsSame(napi_env env, const Slot* slot, napi_value function) {
  const napi_value candidate = FunctionOf(env, slot);
  bool same = false;
  return candidate != nullptr && napi_strict_equals(env, candidate, function, &same) == napi_ok &&
         same;
}

// The slot after this one, and the first after the last.
Slot* Next(const Gate* gate, const Slot* slot) {
  Slot* const next = gate->slots.After(slot);
  return next != nullptr ? next : gate->slots.front();
}

// Gives the places of functions that it did not get to.
std::vector<size_t> Compare(napi_env env, const Gate* gate,
                            const std::vector<napi_value>& functions, std::vector<Slot*>* found) {
  std::vector<size_t> rest;
  size_t budget = kComparisonsMin + kComparisonsOfEach * functions.size();
  Slot* next = gate->slots.front();
  for (size_t place = 0; place < functions.size(); ++place) {
    napi_handle_scope scope;
    if (!IsFunction(env, functions[place])) continue;
    if (napi_open_handle_scope(env, &scope) != napi_ok) continue;
    size_t unseen = gate->slot_count;
    for (; unseen > 0 && budget > 0 && (*found)[place] == nullptr; --unseen, --budget) {
      if (IsSame(env, next, functions[place])) (*found)[place] = next;
      next = Next(gate, next);
    }
    if (unseen > 0 && (*found)[place] == nullptr) rest.push_back(place);
    napi_close_handle_scope(env, scope);
  }
  return rest;
}

void LookUp(napi_env env, const Gate* gate, const std::vector<napi_value>& functions,
            const std::vector<size_t>& rest, std::vector<Slot*>* found) {
  ObjectNumbers places(env, ObjectNumbers::Holds::kObjects);
  for (const size_t place : rest) places.Set(functions[place], static_cast<int64_t>(place));
  for (Slot* slot = gate->slots.front(); slot != nullptr; slot = gate->slots.After(slot)) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    int64_t place = 0;
    const napi_value function = FunctionOf(env, slot);
    if (function != nullptr && places.Get(function, &place)) {
      (*found)[static_cast<size_t>(place)] = slot;
    }
    napi_close_handle_scope(env, scope);
  }
  // A function that is there twice was noted in its last place.
  for (const size_t place : rest) {
    int64_t last = 0;
    if (places.Get(functions[place], &last)) (*found)[place] = (*found)[static_cast<size_t>(last)];
  }
}

}  // namespace

std::vector<Slot*> FindSlots(napi_env env, const Gate* gate,
                             const std::vector<napi_value>& functions) {
  std::vector<Slot*> found(functions.size(), nullptr);
  const std::vector<size_t> rest = Compare(env, gate, functions, &found);
  if (!rest.empty()) LookUp(env, gate, functions, rest, &found);
  return found;
}

}  // namespace napi_reload
