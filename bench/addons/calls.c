// The least that each kind of call can do: what remains is the cost of getting there.
#include <stdio.h>
#include <stdlib.h>

#include "version.h"

// Functions that are exported beside these, to have so many of them.
#ifndef FILLING
#define FILLING 0
#endif

static napi_value Noop(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}

// Adds the second number VERSION times, so that each sum tells which version made it.
static napi_value Add(napi_env env, napi_callback_info info) {
  napi_value args[2], result;
  size_t count = 2;
  double a = 0, b = 0;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  napi_get_value_double(env, args[0], &a);
  napi_get_value_double(env, args[1], &b);
  napi_create_double(env, a + VERSION * b, &result);
  return result;
}

static void FreeCounter(napi_env env, void* counter, void* hint) {
  (void)env;
  (void)hint;
  free(counter);
}

static napi_value NewCounter(napi_env env, napi_callback_info info) {
  napi_value self, start;
  size_t count = 1;
  double* counter = malloc(sizeof *counter);
  *counter = 0;
  napi_get_cb_info(env, info, &count, &start, &self, NULL);
  napi_get_value_double(env, start, counter);
  napi_wrap(env, self, counter, FreeCounter, NULL, NULL);
  return self;
}

static napi_value GetCounter(napi_env env, napi_callback_info info) {
  napi_value self, result;
  void* counter = NULL;
  napi_get_cb_info(env, info, NULL, NULL, &self, NULL);
  napi_unwrap(env, self, &counter);
  napi_create_double(env, VERSION * *(double*)counter, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value math, counter;
  const napi_property_descriptor get = {.utf8name = "get", .method = GetCounter};
  for (int number = 0; number < FILLING; number++) {
    char name[16];
    snprintf(name, sizeof name, "filling%d", number);
    Define(env, exports, name, Noop);
  }
  Define(env, exports, "version", Version);
  Define(env, exports, "noop", Noop);
  Define(env, exports, "add", Add);
  napi_create_object(env, &math);
  Define(env, math, "add", Add);
  napi_set_named_property(env, exports, "math", math);
  napi_define_class(env, "Counter", NAPI_AUTO_LENGTH, NewCounter, NULL, 1, &get, &counter);
  napi_set_named_property(env, exports, "Counter", counter);
  return exports;
}
