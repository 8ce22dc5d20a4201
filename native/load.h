// Brings an image to life in this thread.
//
// Node makes one napi_env for each process.dlopen() call and hands it to the module's init. The
// ledger calls it with the shim's own path, takes the env for the image, and runs the image's init
// after the call has returned: under Node's dlopen mutex a nested load would deadlock.
//
//   Image* image = Image::Open(options).image;
//   BeginMint(image, name);
//   process.dlopen(module, ShimPath())     JavaScript; module.filename is the source path
//   Version* version = EndMint();          the image's reference now belongs to the version
//   Init(env, version, exports, &result);  result or a pending exception in `env`
//
// The shim's napi_register_module_v1 has to begin with
//   if (IsMinting()) return Mint(env, exports);
// and its node_api_module_get_api_version_v1 has to return MintApiVersion(own).
//
// Threads: the one whose env it is; minting is thread-local.

#ifndef NAPI_RELOAD_LOAD_H_
#define NAPI_RELOAD_LOAD_H_

#include <node_api.h>

#include <string>

#include "version.h"

namespace napi_reload {

// Where this shim was loaded from. Empty when the loader does not say.
const std::string& ShimPath();
// Keeps the shim mapped for the life of the process: thunks and trampolines point into it. Safe to
// call often; true when it worked.
bool PinShim();

void BeginMint(Image* image, const VersionName& name);
bool IsMinting();
int32_t MintApiVersion(int32_t own);
napi_value Mint(napi_env env, napi_value exports);
// Null when process.dlopen() did not come to Mint(); the image's reference is let go then.
Version* EndMint();

// Runs the image's init. `*result` is what it returned, or `exports` when it returned nothing.
// napi_pending_exception when it threw; the exception is pending in `env` then.
napi_status Init(napi_env env, Version* version, napi_value exports, napi_value* result);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_LOAD_H_
