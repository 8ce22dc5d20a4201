// An addon whose state is BYTES bytes: memory that stays or, with SAVED, memory of its own that
// each version hands to the next. Whoever has no napi-reload can store them in a file.
#include <fcntl.h>
#include <napi_reload.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "version.h"

static uint64_t* words;
static const size_t count = BYTES / sizeof *words;

static napi_value Address(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_bigint_uint64(env, (uint64_t)(uintptr_t)words, &result);
  return result;
}

// Of its own, when there are none yet: all 0.
static bool Allocate(napi_env env) {
  if (words == NULL) words = calloc(count, sizeof *words);
  if (words == NULL) napi_throw_error(env, NULL, "Cannot allocate the state");
  return words != NULL;
}

// So that no page is like another one.
static napi_value Fill(napi_env env, napi_callback_info info) {
  (void)info;
  if (!Allocate(env)) return NULL;
  for (size_t at = 0; at < count; at++) words[at] = at * 0x9e3779b97f4a7c15u;
  return NULL;
}

static napi_value Checksum(napi_env env, napi_callback_info info) {
  uint64_t sum = 0;
  napi_value result;
  (void)info;
  for (size_t at = 0; at < count; at++) sum = (sum ^ words[at]) * 0x100000001b3u;
  napi_create_bigint_uint64(env, sum, &result);
  return result;
}

// A change that the next version has to find.
static napi_value Mark(napi_env env, napi_callback_info info) {
  napi_value number;
  size_t arguments = 1;
  uint32_t mark = 0;
  napi_get_cb_info(env, info, &arguments, &number, NULL, NULL);
  napi_get_value_uint32(env, number, &mark);
  words[count / 2] = mark;
  return NULL;
}

static napi_value Marked(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_double(env, (double)words[count / 2], &result);
  return result;
}

typedef ssize_t (*Transfer)(int file, void* bytes, size_t length);

// `write` takes bytes that it does not change.
static ssize_t WriteSome(int file, void* bytes, size_t length) {
  return write(file, bytes, length);
}

// All of the state, by `transfer`, to or from the file that is the argument.
static napi_value TransferAll(napi_env env, napi_callback_info info, int flags, Transfer transfer) {
  napi_value argument;
  size_t arguments = 1, done = 0;
  char path[4096] = "";
  ssize_t some = 1;
  napi_get_cb_info(env, info, &arguments, &argument, NULL, NULL);
  napi_get_value_string_utf8(env, argument, path, sizeof path, NULL);
  if (!Allocate(env)) return NULL;
  const int file = open(path, flags | O_CLOEXEC, 0600);
  while (file >= 0 && done < BYTES && some > 0) {
    some = transfer(file, (char*)words + done, BYTES - done);
    if (some > 0) done += (size_t)some;
  }
  if (file < 0 || close(file) != 0 || done < BYTES) {
    napi_throw_error(env, NULL, "Cannot transfer the state");
  }
  return NULL;
}

static napi_value Store(napi_env env, napi_callback_info info) {
  return TransferAll(env, info, O_WRONLY | O_CREAT | O_TRUNC, WriteSome);
}

static napi_value Fetch(napi_env env, napi_callback_info info) {
  return TransferAll(env, info, O_RDONLY, read);
}

#ifdef SAVED
static void Free(napi_env env, void* data, void* hint) {
  (void)env;
  (void)data;
  (void)hint;
  free(words);
  words = NULL;
}

static void Init(napi_env env, const napi_reload_context* context) {
  napi_value state;
  napi_valuetype type;
  void* bytes;
  size_t length;
  if (!Allocate(env)) return;
  napi_get_named_property(env, context->object, "state", &state);
  napi_typeof(env, state, &type);
  if (type == napi_undefined) return;
  // Elsewhere what was a Buffer arrives as a Uint8Array.
  if (napi_get_typedarray_info(env, state, NULL, &length, &bytes, NULL, NULL) != napi_ok ||
      length != BYTES) {
    napi_throw_error(env, NULL, "Cannot take the state: it is no array of that size");
    return;
  }
  memcpy(words, bytes, BYTES);
}

static napi_value Save(napi_env env) {
  napi_value state;
  napi_create_buffer_copy(env, BYTES, words, NULL, &state);
  return state;
}
#else
static void Init(napi_env env, const napi_reload_context* context) {
  (void)env;
  words = NAPI_RELOAD_MEMORY(context, uint64_t, "bench", count, napi_reload_memory_fixed);
}
#endif

NAPI_MODULE_INIT() {
#ifdef SAVED
  static const napi_reload_hooks hooks = {.init = Init, .save = Save};
  napi_set_instance_data(env, NULL, Free, NULL);
#else
  static const napi_reload_hooks hooks = {.init = Init};
#endif
  Define(env, exports, "version", Version);
  Define(env, exports, "address", Address);
  Define(env, exports, "fill", Fill);
  Define(env, exports, "checksum", Checksum);
  Define(env, exports, "mark", Mark);
  Define(env, exports, "marked", Marked);
  Define(env, exports, "store", Store);
  Define(env, exports, "fetch", Fetch);
  napi_reload_define(env, exports, &hooks);
  return exports;
}
