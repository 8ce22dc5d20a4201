// Of napi_reload.h: what `prepare` and `init` are told, and memory that outlives versions. Names
// that end in an underscore are not for use.
#ifndef NAPI_RELOAD_CONTEXT_H_
#define NAPI_RELOAD_CONTEXT_H_

#include <stdint.h>

#include "errors.h"

#ifdef __cplusplus
extern "C" {
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

// Names what is wrong where a compiler prints it, as C99 has no assertion of its own.
#ifdef __cplusplus
#define NAPI_RELOAD_MISALIGNMENT_(data) (reinterpret_cast<uintptr_t>(data) % NAPI_RELOAD_ALIGNMENT)
#define NAPI_RELOAD_REFUSE_ALIGNMENT_(type) \
  static_cast<void>(sizeof(char[alignof(type) <= NAPI_RELOAD_ALIGNMENT ? 1 : -1]))
#else
#define NAPI_RELOAD_MISALIGNMENT_(data) ((uintptr_t)(data) % NAPI_RELOAD_ALIGNMENT)
#define NAPI_RELOAD_REFUSE_ALIGNMENT_(type)                                                       \
  ((void)sizeof(struct {                                                                          \
    unsigned memory_is_aligned_to_64_bytes : __alignof__(type) <= NAPI_RELOAD_ALIGNMENT ? 1 : -1; \
  }))
#endif

// A property of that type; NULL when it is of another.
static inline napi_value napi_reload_get_(napi_env env, napi_value object, const char* name,
                                          napi_valuetype wanted) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type != wanted) {
    return NULL;
  }
  return value;
}

// Why this version comes to life.
static inline napi_reload_reason napi_reload_get_reason(const napi_reload_context* context) {
  const napi_value reason = napi_reload_get_(context->env, context->object, "reason", napi_string);
  char text[16] = "";
  if (reason != NULL) {
    napi_get_value_string_utf8(context->env, reason, text, sizeof text, NULL);
  }
  // Their second letters tell them apart.
  switch (text[1]) {
    case 'e':
      return napi_reload_reason_reload;
    case 'o':
      return napi_reload_reason_rollback;
    default:
      return napi_reload_reason_first;
  }
}

// What `save` of the old version returned; NULL where there is no state.
static inline napi_value napi_reload_get_state(const napi_reload_context* context) {
  napi_value state;
  napi_valuetype type;
  if (napi_get_named_property(context->env, context->object, "state", &state) != napi_ok ||
      napi_typeof(context->env, state, &type) != napi_ok || type == napi_undefined) {
    return NULL;
  }
  return state;
}

// Which version the state comes from, and the schema that the state has. False at a first load,
// which leaves both as they are. Either may be NULL.
static inline bool napi_reload_get_from(const napi_reload_context* context, uint32_t* version,
                                        uint32_t* schema) {
  const napi_env env = context->env;
  const napi_value from = napi_reload_get_(env, context->object, "from", napi_object);
  napi_value numbers[2];
  if (from == NULL || napi_get_named_property(env, from, "version", &numbers[0]) != napi_ok ||
      napi_get_named_property(env, from, "schema", &numbers[1]) != napi_ok) {
    return false;
  }
  return (version == NULL || napi_get_value_uint32(env, numbers[0], version) == napi_ok) &&
         (schema == NULL || napi_get_value_uint32(env, numbers[1], schema) == napi_ok);
}

// Calls `memory(name, byteLength)` or `memory(name, byteLength, { grow: true })` of the context.
static inline bool napi_reload_call_memory_(const napi_reload_context* context, const char* name,
                                            size_t byte_length, napi_reload_memory_mode mode,
                                            napi_value* view) {
  const napi_env env = context->env;
  const napi_value memory = napi_reload_get_(env, context->object, "memory", napi_function);
  napi_value arguments[3];
  napi_value yes;
  if (memory == NULL) {
    napi_reload_fail_(env, "get memory", name, "the context has no function memory()");
    return false;
  }
  return napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &arguments[0]) == napi_ok &&
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
static inline void* napi_reload_get_memory(const napi_reload_context* context, const char* name,
                                           size_t byte_length, napi_reload_memory_mode mode) {
  const napi_env env = context->env;
  napi_value view;
  napi_typedarray_type type;
  size_t length;
  void* data;
  napi_ref hold;
  if (byte_length == 0) {
    napi_reload_fail_(env, "get memory", name, "wanted at least a byte");
    return NULL;
  }
  // The reference is never deleted: it goes with the environment. Until then native code may use
  // the bytes, also on other threads and after the handle was closed.
  if (!napi_reload_call_memory_(context, name, byte_length, mode, &view) ||
      napi_get_typedarray_info(env, view, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || length != byte_length || NAPI_RELOAD_MISALIGNMENT_(data) != 0 ||
      napi_create_reference(env, view, 1, &hold) != napi_ok) {
    napi_reload_fail_(env, "use memory", name, "it is no aligned Uint8Array of the size asked for");
    return NULL;
  }
  return data;
}

// A pointer to so many elements of a type, in memory of that name: what napi_reload_get_memory()
// says holds for it. A type with a greater alignment is refused when it is compiled.
#define NAPI_RELOAD_MEMORY(context, type, name, count, mode) \
  (NAPI_RELOAD_REFUSE_ALIGNMENT_(type),                      \
   NAPI_RELOAD_CAST_(type*,                                  \
                     napi_reload_get_elements_((context), (name), (count), sizeof(type), (mode))))

static inline void* napi_reload_get_elements_(const napi_reload_context* context, const char* name,
                                              size_t count, size_t size,
                                              napi_reload_memory_mode mode) {
  if (count > SIZE_MAX / size) {
    napi_reload_fail_(context->env, "get memory", name, "no memory has so many elements");
    return NULL;
  }
  return napi_reload_get_memory(context, name, count * size, mode);
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // NAPI_RELOAD_CONTEXT_H_
