// Of napi_reload.h: what `prepare` and `init` are told of the load, and elements in memory. Names
// that end in an underscore are not for use.
#ifndef NAPI_RELOAD_TOLD_H_
#define NAPI_RELOAD_TOLD_H_

#include "context.h"

// A property of that type; NULL when it is of another.
NAPI_RELOAD_INLINE_ napi_value napi_reload_get_(napi_env env, napi_value object, const char* name,
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
NAPI_RELOAD_INLINE_ napi_reload_reason napi_reload_get_reason(const napi_reload_context* context) {
  const napi_value reason = napi_reload_get_(context->env, context->object, "reason", napi_string);
  char text[16] = "";
  if (reason != NULL) {
    napi_get_value_string_utf8(context->env, reason, text, sizeof text, NULL);
  }
  return napi_reload_reason_of_(text);
}

// What `save` of the old version returned; NULL where there is no state.
NAPI_RELOAD_INLINE_ napi_value napi_reload_get_state(const napi_reload_context* context) {
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
NAPI_RELOAD_INLINE_ bool napi_reload_get_from(const napi_reload_context* context, uint32_t* version,
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

// Names what is wrong where a compiler prints it, as C99 has no assertion of its own.
#ifdef __cplusplus
#define NAPI_RELOAD_REFUSE_ALIGNMENT_(type) \
  static_cast<void>(sizeof(char[alignof(type) <= NAPI_RELOAD_ALIGNMENT ? 1 : -1]))
#else
#define NAPI_RELOAD_REFUSE_ALIGNMENT_(type)                                                       \
  ((void)sizeof(struct {                                                                          \
    unsigned memory_is_aligned_to_64_bytes : __alignof__(type) <= NAPI_RELOAD_ALIGNMENT ? 1 : -1; \
  }))
#endif

// A pointer to so many elements of a type, in memory of that name: what napi_reload_get_memory()
// says holds for it. A type with a greater alignment is refused when it is compiled.
#define NAPI_RELOAD_MEMORY(context, type, name, count, mode) \
  (NAPI_RELOAD_REFUSE_ALIGNMENT_(type),                      \
   NAPI_RELOAD_CAST_(type*,                                  \
                     napi_reload_get_elements_((context), (name), (count), sizeof(type), (mode))))

NAPI_RELOAD_INLINE_ void* napi_reload_get_elements_(const napi_reload_context* context,
                                                    const char* name, size_t count, size_t size,
                                                    napi_reload_memory_mode mode) {
  if (count > SIZE_MAX / size) {
    napi_reload_fail_(context->env, "get memory", name, "no memory has so many elements");
    return NULL;
  }
  return napi_reload_get_memory(context, name, count * size, mode);
}

#endif  // NAPI_RELOAD_TOLD_H_
