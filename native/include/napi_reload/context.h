// Of napi_reload.h: what a hook reads of its context. Names that end in an underscore are not for
// use.
#ifndef NAPI_RELOAD_CONTEXT_H_
#define NAPI_RELOAD_CONTEXT_H_

#include "../napi_reload.h"
#include "errors.h"

#ifdef __cplusplus
extern "C" {
#endif

// A property of that type; NULL when it is of another.
static inline napi_value napi_reload_get_(napi_env env, napi_value object, const char* name,
                                          napi_valuetype wanted) {
  napi_value value = NULL;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return NULL;
  return napi_reload_is_(env, value, wanted) ? value : NULL;
}

static inline napi_reload_reason napi_reload_get_reason(const napi_reload_context* context) {
  char text[16] = "";
  const napi_value reason = napi_reload_get_(context->env, context->object, "reason", napi_string);
  if (reason != NULL) {
    napi_get_value_string_utf8(context->env, reason, text, sizeof text, NULL);
  }
  if (strcmp(text, "reload") == 0) return napi_reload_reason_reload;
  if (strcmp(text, "rollback") == 0) return napi_reload_reason_rollback;
  return napi_reload_reason_first;
}

static inline napi_value napi_reload_get_state(const napi_reload_context* context) {
  napi_value state = NULL;
  if (napi_get_named_property(context->env, context->object, "state", &state) != napi_ok) {
    return NULL;
  }
  return napi_reload_is_(context->env, state, napi_undefined) ? NULL : state;
}

static inline bool napi_reload_get_from(const napi_reload_context* context, uint32_t* version,
                                        uint32_t* schema) {
  const napi_env env = context->env;
  const napi_value from = napi_reload_get_(env, context->object, "from", napi_object);
  napi_value of_version;
  napi_value of_schema;
  if (from == NULL) return false;
  of_version = napi_reload_get_(env, from, "version", napi_number);
  of_schema = napi_reload_get_(env, from, "schema", napi_number);
  if (of_version == NULL || of_schema == NULL) return false;
  if (version != NULL) napi_get_value_uint32(env, of_version, version);
  if (schema != NULL) napi_get_value_uint32(env, of_schema, schema);
  return true;
}

// Calls `memory(name, byteLength)` or `memory(name, byteLength, { grow: true })` of the context.
static inline napi_value napi_reload_call_memory_(const napi_reload_context* context,
                                                  const char* name, size_t byte_length,
                                                  napi_reload_memory_mode mode) {
  const napi_env env = context->env;
  const napi_value memory = napi_reload_get_(env, context->object, "memory", napi_function);
  const bool grows = mode == napi_reload_memory_grow;
  napi_value arguments[3];
  napi_value yes;
  napi_value view = NULL;
  if (memory == NULL) {
    napi_reload_fail_(env, NULL, "get memory", name, "the context has no function memory()");
    return NULL;
  }
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &arguments[0]) != napi_ok ||
      napi_create_int64(env, (int64_t)byte_length, &arguments[1]) != napi_ok ||
      napi_create_object(env, &arguments[2]) != napi_ok ||
      napi_get_boolean(env, true, &yes) != napi_ok ||
      napi_set_named_property(env, arguments[2], "grow", yes) != napi_ok ||
      napi_call_function(env, context->object, memory, grows ? 3 : 2, arguments, &view) !=
          napi_ok) {
    napi_reload_fail_(env, NULL, "get memory", name, "Node-API refused it");
    return NULL;
  }
  return view;
}

static inline void* napi_reload_get_memory(const napi_reload_context* context, const char* name,
                                           size_t byte_length, napi_reload_memory_mode mode) {
  const napi_env env = context->env;
  const napi_value view = napi_reload_call_memory_(context, name, byte_length, mode);
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = NULL;
  uintptr_t address;
  napi_ref hold;
  if (view == NULL) return NULL;
  if (napi_get_typedarray_info(env, view, &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array || length != byte_length) {
    napi_reload_fail_(env, NULL, "use memory", name, "it is no Uint8Array of the size asked for");
    return NULL;
  }
  memcpy(&address, &data, sizeof address);
  if (address % NAPI_RELOAD_ALIGNMENT != 0) {
    napi_reload_fail_(env, NULL, "use memory", name, "it is not aligned to 64 bytes");
    return NULL;
  }
  // Never deleted: it goes with the environment. Until then native code may use the bytes, also on
  // other threads and after the handle was closed.
  if (napi_create_reference(env, view, 1, &hold) != napi_ok) {
    napi_reload_fail_(env, NULL, "hold memory", name, "Node-API refused it");
    return NULL;
  }
  return data;
}

static inline void* napi_reload_get_elements_(const napi_reload_context* context, const char* name,
                                              size_t count, size_t size,
                                              napi_reload_memory_mode mode) {
  if (count > SIZE_MAX / size) {
    napi_reload_fail_(context->env, NULL, "get memory", name, "no memory has so many elements");
    return NULL;
  }
  return napi_reload_get_memory(context, name, count * size, mode);
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // NAPI_RELOAD_CONTEXT_H_
