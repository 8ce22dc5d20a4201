// Of napi_reload.h: the context of an addon that is loaded without napi-reload. Names that end in
// an underscore are not for use.
#ifndef NAPI_RELOAD_PLAIN_H_
#define NAPI_RELOAD_PLAIN_H_

#include "../napi_reload.h"
#include "context.h"
#include "errors.h"

#ifdef __cplusplus
extern "C" {
#endif

// Zeroes at an aligned address, as a Uint8Array. Not external memory, which some programs that
// embed Node.js forbid.
static inline napi_value napi_reload_new_block_(napi_env env, size_t byte_length) {
  napi_value buffer;
  napi_value view;
  void* data = NULL;
  uintptr_t address;
  if (byte_length > SIZE_MAX - NAPI_RELOAD_ALIGNMENT ||
      napi_create_arraybuffer(env, byte_length + NAPI_RELOAD_ALIGNMENT, &data, &buffer) !=
          napi_ok) {
    return NULL;
  }
  memcpy(&address, &data, sizeof address);
  if (napi_create_typedarray(env, napi_uint8_array, byte_length, buffer,
                             -address % NAPI_RELOAD_ALIGNMENT, &view) != napi_ok) {
    return NULL;
  }
  return view;
}

// The block again, where it has the bytes that are wanted; or one that has more, and begins with
// the same.
static inline napi_value napi_reload_fit_block_(napi_env env, napi_value block, bool grows,
                                                size_t byte_length) {
  size_t length = 0;
  void* from = NULL;
  void* to = NULL;
  napi_value grown;
  if (napi_get_typedarray_info(env, block, NULL, &length, &from, NULL, NULL) != napi_ok) {
    return NULL;
  }
  if (byte_length == length) return block;
  if (!grows || byte_length < length) {
    napi_throw_range_error(env, "ERR_MEMORY_SIZE", "Cannot get memory: it has another size");
    return NULL;
  }
  grown = napi_reload_new_block_(env, byte_length);
  if (grown == NULL ||
      napi_get_typedarray_info(env, grown, NULL, NULL, &to, NULL, NULL) != napi_ok) {
    return NULL;
  }
  memcpy(to, from, length);
  return grown;
}

// `memory(name, byteLength, options)` of a plain context. `options` are there to grow only.
static inline napi_value napi_reload_plain_memory_(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  napi_value context;
  napi_value blocks;
  napi_value block = NULL;
  int64_t byte_length = 0;
  bool is_there = false;
  if (napi_get_cb_info(env, info, &count, arguments, &context, NULL) != napi_ok ||
      napi_get_value_int64(env, arguments[1], &byte_length) != napi_ok || byte_length < 0 ||
      napi_get_named_property(env, context, "blocks", &blocks) != napi_ok ||
      napi_has_own_property(env, blocks, arguments[0], &is_there) != napi_ok ||
      (is_there && napi_get_property(env, blocks, arguments[0], &block) != napi_ok)) {
    return NULL;
  }
  block = is_there ? napi_reload_fit_block_(env, block, count > 2, (size_t)byte_length)
                   : napi_reload_new_block_(env, (size_t)byte_length);
  if (block == NULL || napi_set_property(env, blocks, arguments[0], block) != napi_ok) return NULL;
  return block;
}

static inline napi_reload_context napi_reload_plain_context(napi_env env) {
  napi_reload_context context = {env, NULL};
  napi_value reason;
  napi_value memory;
  napi_value blocks;
  if (napi_create_object(env, &context.object) != napi_ok ||
      napi_create_string_utf8(env, "first", NAPI_AUTO_LENGTH, &reason) != napi_ok ||
      napi_set_named_property(env, context.object, "reason", reason) != napi_ok ||
      napi_create_object(env, &blocks) != napi_ok ||
      napi_set_named_property(env, context.object, "blocks", blocks) != napi_ok ||
      napi_create_function(env, "memory", NAPI_AUTO_LENGTH, napi_reload_plain_memory_, NULL,
                           &memory) != napi_ok ||
      napi_set_named_property(env, context.object, "memory", memory) != napi_ok) {
    napi_reload_fail_(env, NULL, "make", "a plain context", "Node-API refused it");
  }
  return context;
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // NAPI_RELOAD_PLAIN_H_
