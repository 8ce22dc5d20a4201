// Of napi_reload.h: what `prepare` and `init` are given, and memory that outlives versions. Names
// that end in an underscore are not for use.
#ifndef NAPI_RELOAD_CONTEXT_H_
#define NAPI_RELOAD_CONTEXT_H_

#include <stdint.h>

#include "errors.h"

// Bytes to which memory of napi_reload_get_memory() is aligned.
#define NAPI_RELOAD_ALIGNMENT 64

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

#ifdef __cplusplus
#define NAPI_RELOAD_MISALIGNMENT_(data) (reinterpret_cast<uintptr_t>(data) % NAPI_RELOAD_ALIGNMENT)
#else
#define NAPI_RELOAD_MISALIGNMENT_(data) ((uintptr_t)(data) % NAPI_RELOAD_ALIGNMENT)
#endif

// Calls `memory(name, byteLength)` or `memory(name, byteLength, { grow: true })` of the context.
NAPI_RELOAD_INLINE_ bool napi_reload_call_memory_(const napi_reload_context* context,
                                                  const char* name, size_t byte_length,
                                                  napi_reload_memory_mode mode, napi_value* view) {
  const napi_env env = context->env;
  napi_value memory;
  napi_value arguments[3];
  napi_value yes;
  return napi_get_named_property(env, context->object, "memory", &memory) == napi_ok &&
         napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &arguments[0]) == napi_ok &&
         napi_create_double(env, NAPI_RELOAD_CAST_(double, byte_length), &arguments[1]) ==
             napi_ok &&
         napi_create_object(env, &arguments[2]) == napi_ok &&
         napi_get_boolean(env, true, &yes) == napi_ok &&
         napi_set_named_property(env, arguments[2], "grow", yes) == napi_ok &&
         napi_call_function(env, context->object, memory, mode == napi_reload_memory_grow ? 3 : 2,
                            arguments, view) == napi_ok;
}

// Memory that no version owns: the same bytes for each version that asks for this name. All 0 at
// first, aligned to NAPI_RELOAD_ALIGNMENT. Good until the environment of this version ends, and
// held for so long, so ask once. NULL, with an exception pending, when it cannot be had; no bytes
// cannot.
NAPI_RELOAD_INLINE_ void* napi_reload_get_memory(const napi_reload_context* context,
                                                 const char* name, size_t byte_length,
                                                 napi_reload_memory_mode mode) {
  const napi_env env = context->env;
  napi_value view;
  napi_typedarray_type type;
  size_t length;
  void* data;
  napi_ref hold;
  // The reference is never deleted: it goes with the environment. Until then native code may use
  // the bytes, also on other threads and after the handle was closed.
  if (byte_length == 0 || !napi_reload_call_memory_(context, name, byte_length, mode, &view) ||
      napi_get_typedarray_info(env, view, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || length != byte_length || NAPI_RELOAD_MISALIGNMENT_(data) != 0 ||
      napi_create_reference(env, view, 1, &hold) != napi_ok) {
    napi_reload_fail_(env, "get memory", name,
                      "the context gives no aligned Uint8Array of that size");
    return NULL;
  }
  return data;
}

// Why a version comes to life: at first, by a reload, by a rollback, or because the Worker or
// process of this very version has crashed.
typedef enum {
  napi_reload_reason_first,
  napi_reload_reason_reload,
  napi_reload_reason_rollback,
  napi_reload_reason_restart
} napi_reload_reason;

// Two letters tell their names apart.
NAPI_RELOAD_INLINE_ napi_reload_reason napi_reload_reason_of_(const char* name) {
  if (name[0] == '\0' || name[1] == 'i') return napi_reload_reason_first;
  if (name[1] == 'o') return napi_reload_reason_rollback;
  return name[2] == 's' ? napi_reload_reason_restart : napi_reload_reason_reload;
}

#endif  // NAPI_RELOAD_CONTEXT_H_
