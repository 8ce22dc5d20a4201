// An addon with FUNCTIONS functions and BYTES bytes in its image, which, with PINS, can pin its
// version.
#include <node_api.h>
#include <stdio.h>

static const volatile char filling[BYTES] = {1};

static napi_value Version(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_int32(env, VERSION, &result);
  return result;
}

#ifdef PINS
static void Finalize(napi_env env, void* data, void* hint) {}

// A value that keeps this version in memory as long as somebody has it.
static napi_value Pin(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_external(env, (void*)filling, Finalize, NULL, &result);
  return result;
}
#endif

static void Define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  Define(env, exports, "version", Version);
#ifdef PINS
  Define(env, exports, "pin", Pin);
#endif
  for (int number = 1; number < FUNCTIONS; number++) {
    char name[16];
    snprintf(name, sizeof name, "version%d", number);
    Define(env, exports, name, Version);
  }
  return exports;
}
