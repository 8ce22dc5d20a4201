// Of napi_reload.h: the context of an addon that is loaded without napi-reload. Names that end in
// an underscore are not for use.
#ifndef NAPI_RELOAD_PLAIN_H_
#define NAPI_RELOAD_PLAIN_H_

#include "context.h"

// Makes a context. It gets a function that tells where in a buffer the first aligned byte is.
// Memory is no external memory, which some programs that embed Node.js forbid; and where there is
// not so much, JavaScript throws: Node-API would end the process.
#define NAPI_RELOAD_PLAIN_SCRIPT_                                               \
  "(function (firstAligned) {\n"                                                \
  "  'use strict';\n"                                                           \
  "  const blocks = new Map();\n"                                               \
  "  const allocate = (byteLength) => {\n"                                      \
  "    const buffer = new ArrayBuffer(byteLength + 64);\n"                      \
  "    return new Uint8Array(buffer, firstAligned(buffer), byteLength);\n"      \
  "  };\n"                                                                      \
  "  const memory = (name, byteLength, { grow = false } = {}) => {\n"           \
  "    const old = blocks.get(name);\n"                                         \
  "    if (old !== undefined && old.length === byteLength) return old;\n"       \
  "    if (old !== undefined && !(grow && old.length < byteLength)) {\n"        \
  "      const found = `it has ${old.length} bytes, not ${byteLength}`;\n"      \
  "      const error = new Error(`Cannot get memory \"${name}\": ${found}`);\n" \
  "      throw Object.assign(error, { code: 'ERR_MEMORY_SIZE' });\n"            \
  "    }\n"                                                                     \
  "    const block = allocate(byteLength);\n"                                   \
  "    if (old !== undefined) block.set(old);\n"                                \
  "    blocks.set(name, block);\n"                                              \
  "    return block;\n"                                                         \
  "  };\n"                                                                      \
  "  return { reason: 'first', state: undefined, memory };\n"                   \
  "})"

NAPI_RELOAD_INLINE_ napi_value napi_reload_first_aligned_(napi_env env, napi_callback_info info) {
  napi_value value;
  size_t count = 1;
  void* data;
  if (napi_get_cb_info(env, info, &count, &value, NULL, NULL) != napi_ok ||
      napi_get_arraybuffer_info(env, value, &data, NULL) != napi_ok ||
      napi_create_uint32(env, NAPI_RELOAD_ALIGNMENT - NAPI_RELOAD_MISALIGNMENT_(data), &value) !=
          napi_ok) {
    return NULL;
  }
  return value;
}

// A first load without napi-reload: nobody calls `init` of an addon that a plain require() loaded.
// One that needs it calls it itself, with this: from its own init, or from the first function that
// finds no state. Good until the calling function returns. Memory is then a Uint8Array for each
// name, which another context does not have.
NAPI_RELOAD_INLINE_ napi_reload_context napi_reload_plain_context(napi_env env) {
  napi_reload_context context = {env, NULL};
  napi_value script;
  napi_value make;
  napi_value first_aligned;
  if (napi_create_string_utf8(env, NAPI_RELOAD_PLAIN_SCRIPT_, NAPI_AUTO_LENGTH, &script) !=
          napi_ok ||
      napi_run_script(env, script, &make) != napi_ok ||
      napi_create_function(env, NULL, 0, napi_reload_first_aligned_, NULL, &first_aligned) !=
          napi_ok ||
      napi_call_function(env, script, make, 1, &first_aligned, &context.object) != napi_ok) {
    napi_reload_fail_(env, "make", "napi_reload_plain_context", "Node-API refused it");
  }
  return context;
}

#endif  // NAPI_RELOAD_PLAIN_H_
