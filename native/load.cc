#include "load.h"

#include <dlfcn.h>

#include <mutex>
#include <new>
#include <utility>

#include "retire.h"

namespace napi_reload {
namespace {

thread_local Image* minting = nullptr;
thread_local Version* minted = nullptr;
thread_local VersionName* minting_name = nullptr;

// Inits of images that threads share run one at a time, as under the lock that Node.js has for
// them: addons set their statics up there. An init may load another addon.
std::recursive_mutex& shared_inits() {
  static std::recursive_mutex* const mutex = new std::recursive_mutex;
  return *mutex;
}

// Not so in a Worker that is being terminated.
bool RunsJavaScript(napi_env env, napi_value any) {
  bool ignored = false;
  return napi_strict_equals(env, any, any, &ignored) == napi_ok;
}

}  // namespace

const std::string& ShimPath() {
  static const std::string* const path = [] {
    Dl_info info;
    const bool found = dladdr(reinterpret_cast<const void*>(&PinShim), &info) != 0;
    return new std::string(found ? info.dli_fname : "");
  }();
  return *path;
}

bool PinShim() {
  static const bool pinned =
      dlopen(ShimPath().c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
  return pinned;
}

void BeginMint(Image* image, const VersionName& name) {
  minting = image;
  delete std::exchange(minting_name, new VersionName(name));
}

bool IsMinting() { return minting != nullptr && minted == nullptr; }

int32_t MintApiVersion(int32_t own) { return IsMinting() ? minting->api_version() : own; }

napi_value Mint(napi_env env, napi_value exports) {
  try {
    minted = new Version(minting, *minting_name, env);
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ENOMEM", "Cannot allocate memory");
    return nullptr;
  }
  // First in the env, so that it is the last that Node finalizes there.
  napi_set_instance_data(env, minted, OnEnvEnd, nullptr);
  return exports;
}

Version* EndMint() {
  Image* const image = std::exchange(minting, nullptr);
  delete std::exchange(minting_name, nullptr);
  if (image != nullptr) {
    image->Leave(true);
    image->Release();
  }
  return std::exchange(minted, nullptr);
}

napi_status Init(napi_env env, Version* version, napi_value exports, napi_value* result) {
  const napi_env own = version->env();
  {
    std::unique_lock<std::recursive_mutex> lock(shared_inits(), std::defer_lock);
    if (!version->image()->options().share_key.empty()) lock.lock();
    // It may have been terminated while it waited. An init that is run then sees all that it calls
    // fail, for which few are prepared.
    if (!RunsJavaScript(own, exports)) return napi_pending_exception;
    Entry entry(version);
    *result = version->image()->init()(own, exports);
  }
  bool pending = false;
  napi_status status = napi_is_exception_pending(own, &pending);
  if (status == napi_ok && pending) {
    napi_value error;
    status = napi_get_and_clear_last_exception(own, &error);
    if (status == napi_ok) status = napi_throw(env, error);
    return status == napi_ok ? napi_pending_exception : status;
  }
  if (*result == nullptr) *result = exports;
  return status;
}

}  // namespace napi_reload
