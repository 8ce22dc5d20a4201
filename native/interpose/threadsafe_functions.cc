// Thread-safe functions. The handle is Node's own, so that other threads use it as it is; its
// context is a record of ours.

#include "table.h"

namespace napi_reload::interpose {
namespace {

// Freed when Node finalizes the function.
struct Record {
  Version* version;
  napi_threadsafe_function_call_js call;
  napi_finalize finalize;
  void* finalize_data;
  void* context;
};

void CallJs(napi_env env, napi_value callback, void* context, void* data) {
  const auto* const record = static_cast<const Record*>(context);
  Entry entry(record->version);
  record->call(env, callback, record->context, data);
}

void Finalize(napi_env env, void*, void* context) {
  auto* const record = static_cast<Record*>(context);
  Version* const version = record->version;
  if (record->finalize != nullptr) {
    Entry entry(version);
    record->finalize(env, record->finalize_data, record->context);
  }
  delete record;
  version->Unpinned(PinKind::kThreadsafeFunction);
}

napi_status Create(napi_env env, napi_value function, napi_value resource, napi_value name,
                   size_t queue_max, size_t threads, void* finalize_data, napi_finalize finalize,
                   void* context, napi_threadsafe_function_call_js call,
                   napi_threadsafe_function* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  auto* const record = new Record{version, call, finalize, finalize_data, context};
  const napi_status status =
      napi_create_threadsafe_function(env, function, resource, name, queue_max, threads, nullptr,
                                      Finalize, record, call != nullptr ? CallJs : nullptr, result);
  if (status != napi_ok) {
    delete record;
    return Checked(env, status);
  }
  version->Pinned(PinKind::kThreadsafeFunction);
  return napi_ok;
}

// Any thread.
napi_status GetContext(napi_threadsafe_function function, void** result) {
  void* context = nullptr;
  const napi_status status = napi_get_threadsafe_function_context(function, &context);
  if (status == napi_ok) *result = static_cast<const Record*>(context)->context;
  return status;
}

}  // namespace

void AddThreadsafeFunctions(Table* table) {
  table->Add("napi_create_threadsafe_function", Create);
  table->Add("napi_get_threadsafe_function_context", GetContext);
}

}  // namespace napi_reload::interpose
