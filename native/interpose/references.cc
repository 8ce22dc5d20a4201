// References. The addon's napi_ref is a record of ours, so that those it forgets are released with
// it and hold no JavaScript object for ever.

#include <cstdint>

#include "../holdings.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

Reference* From(napi_ref reference) { return reinterpret_cast<Reference*>(reference); }

napi_status Create(napi_env env, napi_value value, uint32_t count, napi_ref* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || result == nullptr) return napi_invalid_arg;
  napi_ref real = nullptr;
  const napi_status status = napi_create_reference(env, value, count, &real);
  if (status != napi_ok) return status;
  auto* const reference = new Reference;
  reference->real = real;
  version->references.PushFront(reference);
  *result = reinterpret_cast<napi_ref>(reference);
  return napi_ok;
}

napi_status Delete(node_api_basic_env env, napi_ref ref) {
  if (ref == nullptr) return napi_invalid_arg;
  Reference* const reference = From(ref);
  Holding* const holding = reference->holding;
  if (holding != nullptr) holding->reference = nullptr;
  const bool is_wrapped =
      holding != nullptr && (holding->kind == HoldingKind::kWrap || holding->may_return);
  if (is_wrapped && !holding->finalizing) {
    // The object stays wrapped, and the finalizer "may never be invoked" says the documentation:
    // Node then keeps a dangling pointer in the object, the ledger keeps a whole one.
    holding->finalize = nullptr;
    holding->real = reference->real;
  } else if (reference->real != nullptr) {
    napi_delete_reference(env, reference->real);
    if (holding != nullptr && !holding->finalizing) FreeHolding(holding);
  }
  reference->Unlink();
  delete reference;
  return napi_ok;
}

napi_status Ref(napi_env env, napi_ref ref, uint32_t* result) {
  if (ref == nullptr) return napi_invalid_arg;
  return napi_reference_ref(env, From(ref)->real, result);
}

napi_status Unref(napi_env env, napi_ref ref, uint32_t* result) {
  if (ref == nullptr) return napi_invalid_arg;
  return napi_reference_unref(env, From(ref)->real, result);
}

napi_status GetValue(napi_env env, napi_ref ref, napi_value* result) {
  if (ref == nullptr || result == nullptr) return napi_invalid_arg;
  if (From(ref)->real == nullptr) {
    *result = nullptr;
    return napi_ok;
  }
  return napi_get_reference_value(env, From(ref)->real, result);
}

}  // namespace

void AddReferences(Table* table) {
  table->Add("napi_create_reference", Create);
  table->Add("napi_delete_reference", Delete);
  table->Add("napi_reference_ref", Ref);
  table->Add("napi_reference_unref", Unref);
  table->Add("napi_get_reference_value", GetValue);
}

}  // namespace napi_reload::interpose
