#include "instances.h"

#include <algorithm>
#include <utility>

#include "holdings.h"
#include "slots.h"

namespace napi_reload {
namespace {

napi_ref* ReferenceOf(Holding* holding) {
  return holding->reference != nullptr ? &holding->reference->real : &holding->real;
}

napi_value ObjectOf(napi_env env, Holding* holding) {
  const napi_ref real = *ReferenceOf(holding);
  napi_value object = nullptr;
  if (real == nullptr || napi_get_reference_value(env, real, &object) != napi_ok) return nullptr;
  return object;
}

// 0 when it is no class of the version.
uint64_t ClassOf(napi_env env, const Gate* gate, napi_value constructor) {
  for (const Slot* slot = gate->slots.front(); slot != nullptr; slot = gate->slots.After(slot)) {
    if (!slot->constructs || slot->function == nullptr) continue;
    napi_value candidate = nullptr;
    bool is_same = false;
    if (napi_get_reference_value(env, slot->function, &candidate) == napi_ok &&
        candidate != nullptr &&
        napi_strict_equals(env, candidate, constructor, &is_same) == napi_ok && is_same) {
      return slot->class_id;
    }
  }
  return 0;
}

// Takes from the object what it is wrapped with, if that is of this version.
void ReleaseWrap(napi_env env, const Version* version, napi_value object) {
  void* pointer = nullptr;
  if (napi_unwrap(env, object, &pointer) != napi_ok) return;
  Holding* const holding = HoldingAt(pointer);
  if (holding != nullptr && holding->version == version) ReleaseHolding(holding);
}

// References of the addon count on: how often it was referenced is a part of what it was.
void CopyCount(napi_env env, napi_ref from, napi_ref to) {
  uint32_t count = 0;
  if (napi_reference_ref(env, from, &count) != napi_ok) return;
  napi_reference_unref(env, from, &count);
  for (uint32_t index = 0; index < count; ++index) napi_reference_ref(env, to, nullptr);
}

// While it is pending, nothing more could be put back.
void TakeException(napi_env env, std::vector<napi_value>* thrown) {
  bool is_pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    thrown->push_back(error);
  }
}

bool PutBack(Holding* holding, const Version* to) {
  Version* const from = holding->version;
  const napi_env env = from->env();
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  bool is_back = false;
  if (const napi_value object = ObjectOf(env, holding)) {
    ReleaseWrap(to->env(), to, object);
    napi_ref fresh = nullptr;
    is_back = holding->is_removed ||
              napi_wrap(env, object, holding, OnFinalize, holding, &fresh) == napi_ok;
    if (fresh != nullptr) {
      napi_ref* const real = ReferenceOf(holding);
      CopyCount(env, *real, fresh);
      napi_delete_reference(env, std::exchange(*real, fresh));
      holding->kind = HoldingKind::kWrap;
      from->Pinned(PinKind::kWrappedObject, holding->bytes);
    }
  }
  napi_close_handle_scope(env, scope);
  return is_back;
}

}  // namespace

std::vector<std::optional<std::vector<napi_value>>> FindInstances(
    napi_env env, const Version& version, const std::vector<napi_value>& constructors) {
  std::vector<std::optional<std::vector<napi_value>>> found(constructors.size());
  std::vector<uint64_t> classes;
  for (size_t index = 0; index < constructors.size(); ++index) {
    classes.push_back(ClassOf(env, version.gate(), constructors[index]));
    if (classes.back() != 0) found[index].emplace();
  }
  // Makes handles and nothing else: a collection would change the list.
  const List<Holding>& holdings = version.holdings;
  for (Holding* one = holdings.front(); one != nullptr; one = holdings.After(one)) {
    if (one->kind != HoldingKind::kWrap || one->class_id == 0) continue;
    const auto known = std::find(classes.begin(), classes.end(), one->class_id);
    if (known == classes.end()) continue;
    const napi_value object = ObjectOf(env, one);
    if (object != nullptr) found[known - classes.begin()]->push_back(object);
  }
  for (auto& instances : found) {
    if (instances) std::reverse(instances->begin(), instances->end());
  }
  return found;
}

void BeginMove(Version* from, Version* to) { to->gate()->takes_from = from; }

Ended EndMove(Version* from, Version* to, bool succeeded) {
  to->gate()->takes_from = nullptr;
  Ended ended;
  const List<Holding>& holdings = from->holdings;
  for (Holding* one = holdings.front(); one != nullptr; one = holdings.After(one)) {
    if (!one->may_return) continue;
    if (!succeeded) {
      if (!PutBack(one, to)) ++ended.lost;
      TakeException(to->env(), &ended.thrown);
    }
    one->may_return = false;
  }
  return ended;
}

Holding* TakeOver(Version* from, napi_value object) {
  const napi_env env = from->env();
  void* pointer = nullptr;
  if (napi_unwrap(env, object, &pointer) != napi_ok) return nullptr;
  Holding* const holding = HoldingAt(pointer);
  if (holding == nullptr || holding->version != from || holding->kind != HoldingKind::kWrap ||
      napi_remove_wrap(env, object, nullptr) != napi_ok) {
    return nullptr;
  }
  from->Unpinned(PinKind::kWrappedObject, holding->bytes);
  holding->kind = HoldingKind::kMoved;
  holding->may_return = true;
  from->gate()->receiver = {};
  ++from->gate()->wraps_removed;
  return holding;
}

}  // namespace napi_reload
