// The functions that a staged copy is bound to instead of Node's and the C library's.
//
// A staged copy reaches them by address: rebind.h writes the address into the copy's own symbol
// table, so that no name of the shim is visible to anyone, and two shims in one process never meet.

#ifndef NAPI_RELOAD_INTERPOSE_TABLE_H_
#define NAPI_RELOAD_INTERPOSE_TABLE_H_

#include <dlfcn.h>
#include <node_api.h>

#include <string_view>
#include <vector>

#include "../version.h"

namespace napi_reload::interpose {

struct Redirect {
  std::string_view name;
  const void* target;
};

// Sorted by name. Only functions that this process has: an import that it lacks must go on failing
// to load. Any thread.
const std::vector<Redirect>& Redirects();
const void* FindRedirect(std::string_view name);

// For the files of this folder.
class Table {
 public:
  template <typename Function>
  void Add(const char* name, Function* target) {
    if (dlsym(RTLD_DEFAULT, name) == nullptr) return;
    redirects_.push_back({name, reinterpret_cast<const void*>(target)});
  }
  std::vector<Redirect> Take() { return std::move(redirects_); }

 private:
  std::vector<Redirect> redirects_;
};

void AddAsyncWork(Table* table);
void AddClasses(Table* table);
void AddExternals(Table* table);
void AddFunctions(Table* table);
void AddLifecycle(Table* table);
void AddReferences(Table* table);
void AddThreadLocals(Table* table);
void AddThreads(Table* table);
void AddThreadsafeFunctions(Table* table);
void AddWatched(Table* table);
void AddWraps(Table* table);

// Runs the version's cleanup hooks, the last added first, as Node does when an env ends. An
// asynchronous one that has not ended when this returns is a pin until it has.
void RunHooks(Version* version);

// Work of uv_queue_work that the image has queued on the loop of this env, and that has not ended.
size_t CountUvWork(const Image* image, napi_env env);

// Functions that the oldest Node.js lacks are asked for at run time.
template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// An exception may be pending in the env: a call that came from another env's function object has
// to look.
inline void MarkFailure(napi_env env) {
  if (Version* const version = Version::Of(env)) version->gate()->attention |= Gate::kException;
}

inline napi_status Checked(napi_env env, napi_status status) {
  if (__builtin_expect(status != napi_ok, 0)) MarkFailure(env);
  return status;
}

}  // namespace napi_reload::interpose

#endif  // NAPI_RELOAD_INTERPOSE_TABLE_H_
