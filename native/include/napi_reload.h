// napi_reload.h: what napi-reload wants to know of an addon, in C99 on Node-API alone.
//
//   static void Init(napi_env env, const napi_reload_context* context) { ... }
//   static napi_value Save(napi_env env) { ... }
//
//   static const napi_reload_hooks hooks = {.schema = 2, .init = Init, .save = Save};
//
//   NAPI_MODULE_INIT() {
//     napi_reload_define(env, exports, &hooks);
//     return exports;
//   }
//
// It makes the plain object `exports.napiReload` and nothing else: no globals, no memory of its
// own, and no link to napi-reload. Where the addon is loaded by a plain require(), nobody looks at
// that object. What hooks are told is in napi_reload/told.h, memory in napi_reload/context.h, and
// what a plain require() has instead in napi_reload/plain.h. All functions run on the thread of
// their environment; they fail by leaving an exception pending, as those of Node-API do.
#ifndef NAPI_RELOAD_H_
#define NAPI_RELOAD_H_

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "napi_reload/context.h"
#include "napi_reload/plain.h"
#include "napi_reload/told.h"

// Bounds of the lists in napi_reload_hooks. Define others before the include where these are too
// small.
#ifndef NAPI_RELOAD_ACCEPTS_MAX
#define NAPI_RELOAD_ACCEPTS_MAX 8
#endif
#ifndef NAPI_RELOAD_CLASSES_MAX
#define NAPI_RELOAD_CLASSES_MAX 16
#endif

// How the instances of a class move into the next version. `native` is what the instance wraps.
typedef struct {
  // The name of the class among the exports.
  const char* name;
  // Of the old version. Returns any value, and leaves the instance as it is.
  napi_value (*save)(napi_env env, napi_value instance, void* native);
  // Of the new version, optional: an array of arguments for its constructor. Without it, that gets
  // the state alone.
  napi_value (*args)(napi_env env, napi_value state);
  // Of the new version, optional: called once its constructor has returned.
  void (*restore)(napi_env env, napi_value instance, void* native, napi_value state);
} napi_reload_class;

// All of it is optional.
typedef struct {
  // The layout of what `save` returns, from 1. 0 stands for 1.
  uint32_t schema;
  // Schemas that `init` takes as they are, up to the first 0.
  uint32_t accepts[NAPI_RELOAD_ACCEPTS_MAX];
  // New version, before the switch. Returns a promise, or NULL when it is done.
  napi_value (*prepare)(napi_env env, const napi_reload_context* context);
  // New version, at the first load and in each switch.
  void (*init)(napi_env env, const napi_reload_context* context);
  // Old version, in the switch. Returns any value, and leaves the state as it is.
  napi_value (*save)(napi_env env);
  // Old version, after the switch. Returns a promise, or NULL when it is done.
  napi_value (*dispose)(napi_env env);
  // Old version, when a reload failed in `save` or later.
  void (*resume)(napi_env env);
  // Up to the first without a name.
  napi_reload_class classes[NAPI_RELOAD_CLASSES_MAX];
} napi_reload_hooks;

#include "napi_reload/define.h"

#endif  // NAPI_RELOAD_H_
