// An addon with FUNCTIONS functions and BYTES bytes in its image, which can pin its version.
#include <node_api.h>
#include <stdio.h>

static const volatile char filling[BYTES] = {1};

static napi_value Add(napi_env env, napi_callback_info info) {
  napi_value args[2], result;
  size_t count = 2;
  double a, b;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  napi_get_value_double(env, args[0], &a);
  napi_get_value_double(env, args[1], &b);
  napi_create_double(env, a + b, &result);
  return result;
}

static void Finalize(napi_env env, void* data, void* hint) {}

// A value that keeps this version in memory as long as somebody has it.
static napi_value Pin(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_external(env, (void*)filling, Finalize, NULL, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "pin", NAPI_AUTO_LENGTH, Pin, NULL, &function);
  napi_set_named_property(env, exports, "pin", function);
  for (int number = 0; number < FUNCTIONS; number++) {
    char name[16];
    snprintf(name, sizeof name, "add%d", number);
    napi_create_function(env, name, NAPI_AUTO_LENGTH, Add, NULL, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
