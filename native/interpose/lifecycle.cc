// What belongs to the env: registration, instance data, cleanup hooks, posted finalizers.

#include <memory>
#include <utility>

#include "../holdings.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

void RegisterModule(napi_module* module) { Image::RegisterModule(module); }

// Node's own place for it is taken by the Version (load.cc).
napi_status SetInstanceData(node_api_basic_env env, void* data, napi_finalize finalize,
                            void* hint) {
  Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  version->instance = {data, finalize, hint};
  return napi_ok;
}

napi_status GetInstanceData(node_api_basic_env env, void** data) {
  const Version* const version = Version::Of(env);
  if (version == nullptr || data == nullptr) return napi_invalid_arg;
  *data = version->instance.data;
  return napi_ok;
}

void RunHook(void* data) {
  const std::unique_ptr<Hook> hook(static_cast<Hook*>(data));
  hook->Unlink();
  Entry entry(hook->version);
  hook->call(hook->argument);
}

napi_status AddHook(node_api_basic_env env, napi_cleanup_hook call, void* argument) {
  Version* const version = Version::Of(env);
  if (version == nullptr || call == nullptr) return napi_invalid_arg;
  auto hook = std::make_unique<Hook>();
  hook->version = version;
  hook->call = call;
  hook->argument = argument;
  const napi_status status = napi_add_env_cleanup_hook(env, RunHook, hook.get());
  if (status != napi_ok) return status;
  version->hooks.PushFront(hook.release());
  return napi_ok;
}

napi_status RemoveHook(node_api_basic_env env, napi_cleanup_hook call, void* argument) {
  Version* const version = Version::Of(env);
  if (version == nullptr || call == nullptr) return napi_invalid_arg;
  for (Hook* hook = version->hooks.front(); hook != nullptr; hook = version->hooks.After(hook)) {
    if (hook->call != call || hook->argument != argument) continue;
    napi_remove_env_cleanup_hook(env, RunHook, hook);
    hook->Unlink();
    delete hook;
    break;
  }
  return napi_ok;
}

// The addon ends its hook with the handle that it was given, which is ours.
napi_async_cleanup_hook_handle HandleOf(Hook* hook) {
  return reinterpret_cast<napi_async_cleanup_hook_handle>(hook);
}

void RunAsyncHook(napi_async_cleanup_hook_handle, void* data) {
  auto* const hook = static_cast<Hook*>(data);
  // A version that retires has run it already; Node then only waits for its end.
  if (std::exchange(hook->started, true)) return;
  hook->version->Pinned(PinKind::kAsyncHook);
  Entry entry(hook->version);
  hook->call_async(HandleOf(hook), hook->argument);
}

napi_status AddAsyncHook(node_api_basic_env env, napi_async_cleanup_hook call, void* argument,
                         napi_async_cleanup_hook_handle* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || call == nullptr) return napi_invalid_arg;
  auto hook = std::make_unique<Hook>();
  hook->version = version;
  hook->call_async = call;
  hook->argument = argument;
  const napi_status status =
      napi_add_async_cleanup_hook(env, RunAsyncHook, hook.get(), &hook->real);
  if (status != napi_ok) return status;
  if (result != nullptr) *result = HandleOf(hook.get());
  version->hooks.PushFront(hook.release());
  return napi_ok;
}

napi_status RemoveAsyncHook(napi_async_cleanup_hook_handle handle) {
  if (handle == nullptr) return napi_invalid_arg;
  const std::unique_ptr<Hook> hook(reinterpret_cast<Hook*>(handle));
  hook->Unlink();
  napi_remove_async_cleanup_hook(hook->real);
  if (hook->started) hook->version->Unpinned(PinKind::kAsyncHook);
  return napi_ok;
}

napi_status PostFinalizer(node_api_basic_env env, napi_finalize finalize, void* data, void* hint) {
  using Post = napi_status (*)(node_api_basic_env, napi_finalize, void*, void*);
  static const auto real = Real<Post>("node_api_post_finalizer");
  Version* const version = Version::Of(env);
  if (version == nullptr || finalize == nullptr) return napi_invalid_arg;
  Holding* const holding = NewHolding(version, HoldingKind::kPosted, finalize, data, hint);
  if (holding == nullptr) return napi_generic_failure;
  const napi_status status = real(env, OnFinalize, nullptr, holding);
  if (status != napi_ok) FreeHolding(holding);
  return status;
}

}  // namespace

void AddLifecycle(Table* table) {
  table->Add("napi_module_register", RegisterModule);
  table->Add("napi_set_instance_data", SetInstanceData);
  table->Add("napi_get_instance_data", GetInstanceData);
  table->Add("napi_add_env_cleanup_hook", AddHook);
  table->Add("napi_remove_env_cleanup_hook", RemoveHook);
  table->Add("napi_add_async_cleanup_hook", AddAsyncHook);
  table->Add("napi_remove_async_cleanup_hook", RemoveAsyncHook);
  table->Add("node_api_post_finalizer", PostFinalizer);
}

void RunHooks(Version* version) {
  for (;;) {
    Hook* hook = version->hooks.front();
    while (hook != nullptr && hook->started) hook = version->hooks.After(hook);
    if (hook == nullptr) return;
    if (hook->call_async != nullptr) {
      RunAsyncHook(nullptr, hook);
    } else {
      napi_remove_env_cleanup_hook(version->env(), RunHook, hook);
      RunHook(hook);
    }
  }
}

}  // namespace napi_reload::interpose
