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
// that object. All functions run on the thread of their environment; they fail by leaving an
// exception pending, as those of Node-API do.
#ifndef NAPI_RELOAD_H_
#define NAPI_RELOAD_H_

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bounds of the lists in napi_reload_hooks. Define others before the include where these are too
// small.
#ifndef NAPI_RELOAD_ACCEPTS_MAX
#define NAPI_RELOAD_ACCEPTS_MAX 8
#endif
#ifndef NAPI_RELOAD_CLASSES_MAX
#define NAPI_RELOAD_CLASSES_MAX 16
#endif

// Bytes to which memory of napi_reload_get_memory() is aligned.
#define NAPI_RELOAD_ALIGNMENT 64

typedef enum {
  napi_reload_reason_first,
  napi_reload_reason_reload,
  napi_reload_reason_rollback
} napi_reload_reason;

typedef enum {
  // Another size than before is an error.
  napi_reload_memory_fixed,
  // A greater size than before keeps the bytes that were there.
  napi_reload_memory_grow
} napi_reload_memory_mode;

// What `prepare` and `init` are given. Good until they return.
typedef struct {
  napi_env env;
  napi_value object;
} napi_reload_context;

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

// Makes `exports.napiReload`. The struct is not needed any more when this returns.
static inline napi_status napi_reload_define(napi_env env, napi_value exports,
                                             const napi_reload_hooks* hooks);

// Why this version comes to life.
static inline napi_reload_reason napi_reload_get_reason(const napi_reload_context* context);

// What `save` of the old version returned; NULL where there is no state.
static inline napi_value napi_reload_get_state(const napi_reload_context* context);

// Which version the state comes from, and the schema that the state has. False at a first load,
// which leaves both as they are. Either may be NULL.
static inline bool napi_reload_get_from(const napi_reload_context* context, uint32_t* version,
                                        uint32_t* schema);

// Memory that no version owns: the same bytes for each version that asks for this name. All 0 at
// first, aligned to NAPI_RELOAD_ALIGNMENT. Good until the environment of this version ends. NULL,
// with an exception pending, when it cannot be had.
static inline void* napi_reload_get_memory(const napi_reload_context* context, const char* name,
                                           size_t byte_length, napi_reload_memory_mode mode);

// A pointer to so many elements of a type, in memory of that name. The array is there to refuse, at
// compile time, a type with a greater alignment.
#define NAPI_RELOAD_MEMORY(context, type, name, count, mode)                \
  ((void)sizeof(char[__alignof__(type) <= NAPI_RELOAD_ALIGNMENT ? 1 : -1]), \
   (type*)napi_reload_get_elements_((context), (name), (count), sizeof(type), (mode)))

// A first load without napi-reload: nobody calls `init` of an addon that a plain require() loaded.
// One that needs it calls it itself, from the first function that finds no state. Memory is then a
// plain ArrayBuffer for each name.
static inline napi_reload_context napi_reload_plain_context(napi_env env);

#ifdef __cplusplus
}  // extern "C"
#endif

#include "napi_reload/context.h"
#include "napi_reload/define.h"
#include "napi_reload/plain.h"

#endif  // NAPI_RELOAD_H_
