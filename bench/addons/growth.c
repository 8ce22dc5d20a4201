// An addon with FUNCTIONS functions and BYTES bytes in its image, which, with PINS, can pin its
// version.
#include <stdio.h>

#include "version.h"

static const volatile char filling[BYTES] = {1};

#ifdef PINS
static void Finalize(napi_env env, void* data, void* hint) {}

// A value that keeps this version in memory as long as somebody has it.
static napi_value Pin(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_external(env, (void*)filling, Finalize, NULL, &result);
  return result;
}
#endif

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
