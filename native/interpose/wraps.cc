// Objects with native memory behind them, and objects that only have a finalizer.

#include "../holdings.h"
#include "classes.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

// Always asks Node for a reference, which is what lets a version give the object back when it
// retires.
using Attach = napi_status (*)(napi_env, napi_value, void*, node_api_basic_finalize, void*,
                               napi_ref*);

napi_status AttachHolding(napi_env env, Attach attach, HoldingKind kind, napi_value object,
                          void* data, napi_finalize finalize, void* hint, napi_ref* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || (result != nullptr && finalize == nullptr)) return napi_invalid_arg;
  Holding* const holding = NewHolding(version, kind, finalize, data, hint);
  if (holding == nullptr) return napi_generic_failure;
  const napi_status status = attach(env, object, holding, OnFinalize, holding, &holding->real);
  if (status != napi_ok) {
    holding->real = nullptr;
    FreeHolding(holding);
    return Checked(env, status);
  }
  if (kind == HoldingKind::kWrap) NoteWrapped(env, version->gate(), object, holding);
  if (result == nullptr) return napi_ok;
  auto* const reference = new Reference;
  reference->real = holding->real;
  reference->holding = holding;
  version->references.PushFront(reference);
  holding->real = nullptr;
  holding->reference = reference;
  *result = reinterpret_cast<napi_ref>(reference);
  return napi_ok;
}

napi_status Wrap(napi_env env, napi_value object, void* data, napi_finalize finalize, void* hint,
                 napi_ref* result) {
  return AttachHolding(env, napi_wrap, HoldingKind::kWrap, object, data, finalize, hint, result);
}

napi_status AddFinalizer(napi_env env, napi_value object, void* data, napi_finalize finalize,
                         void* hint, napi_ref* result) {
  if (finalize == nullptr) return napi_invalid_arg;
  return AttachHolding(env, napi_add_finalizer, HoldingKind::kFinalizer, object, data, finalize,
                       hint, result);
}

// The holding of an object that code with this env wrapped. Anything else is none of its business:
// another version's memory may be gone, or laid out differently.
napi_status FindWrap(napi_env env, napi_value object, Holding** result) {
  if (const Version* const version = Version::Of(env)) {
    // A method that asks for its own receiver, which was looked at when it was called.
    const Gate::Receiver& receiver = version->gate()->receiver;
    if (object != nullptr && object == receiver.self) {
      *result = receiver.holding;
      return napi_ok;
    }
  }
  void* pointer = nullptr;
  const napi_status status = napi_unwrap(env, object, &pointer);
  if (status != napi_ok) return Checked(env, status);
  Holding* holding = HoldingAt(pointer);
  // Code of a version that an object has left asks for what it wrapped itself.
  const auto is_own = [env](const Holding* one) {
    return one->version != nullptr && one->version->env() == env && !one->is_removed;
  };
  while (holding != nullptr && !is_own(holding)) holding = holding->older;
  if (holding == nullptr) return napi_invalid_arg;
  *result = holding;
  return napi_ok;
}

napi_status Unwrap(napi_env env, napi_value object, void** result) {
  if (result == nullptr) return napi_invalid_arg;
  Holding* holding = nullptr;
  const napi_status status = FindWrap(env, object, &holding);
  if (status == napi_ok) *result = holding->data;
  return status;
}

napi_status RemoveWrap(napi_env env, napi_value object, void** result) {
  Holding* holding = nullptr;
  napi_status status = FindWrap(env, object, &holding);
  if (status != napi_ok) return status;
  const bool is_on_object = holding->kind == HoldingKind::kWrap;
  if (!is_on_object && holding->finalizing) return napi_invalid_arg;
  if (is_on_object) status = napi_remove_wrap(env, object, nullptr);
  if (status != napi_ok) return Checked(env, status);
  if (result != nullptr) *result = holding->data;
  if (holding->may_return) {
    // The object will not be wrapped again. The holding stays until the move ends: the constructor
    // that runs may link to it.
    holding->finalize = nullptr;
    holding->is_removed = true;
    return napi_ok;
  }
  if (holding->real != nullptr) napi_delete_reference(env, holding->real);
  Gate* const gate = holding->version->gate();
  if (holding->class_id != 0) NoteUnwrapped(gate, object, holding->class_id);
  gate->receiver = {};
  ++gate->wraps_removed;
  FreeHolding(holding);
  return napi_ok;
}

}  // namespace

void AddWraps(Table* table) {
  table->Add("napi_wrap", Wrap);
  table->Add("napi_add_finalizer", AddFinalizer);
  table->Add("napi_unwrap", Unwrap);
  table->Add("napi_remove_wrap", RemoveWrap);
}

}  // namespace napi_reload::interpose
