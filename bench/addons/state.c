// An addon whose state is BYTES bytes of memory that stays.
#include <napi_reload.h>

static uint64_t* words;
static const size_t count = BYTES / sizeof *words;

static napi_value Address(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_bigint_uint64(env, (uint64_t)(uintptr_t)words, &result);
  return result;
}

// So that no page is like another one.
static napi_value Fill(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
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

static void Init(napi_env env, const napi_reload_context* context) {
  (void)env;
  words = NAPI_RELOAD_MEMORY(context, uint64_t, "bench", count, napi_reload_memory_fixed);
}

NAPI_MODULE_INIT() {
  static const napi_reload_hooks hooks = {.init = Init};
  const napi_property_descriptor functions[] = {
      {"address", NULL, Address, NULL, NULL, NULL, napi_enumerable, NULL},
      {"fill", NULL, Fill, NULL, NULL, NULL, napi_enumerable, NULL},
      {"checksum", NULL, Checksum, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  napi_reload_define(env, exports, &hooks);
  return exports;
}
