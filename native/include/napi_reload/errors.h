// Of napi_reload.h: how its functions fail.
#ifndef NAPI_RELOAD_ERRORS_H_
#define NAPI_RELOAD_ERRORS_H_

#include <node_api.h>
#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

// Leaves an exception, unless one is pending: the first failure is the one to tell of.
static inline void napi_reload_fail_(napi_env env, const char* code, const char* attempted,
                                     const char* name, const char* found) {
  char message[256];
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) != napi_ok || is_pending) return;
  snprintf(message, sizeof message, "Cannot %s \"%s\": %s", attempted, name, found);
  napi_throw_error(env, code, message);
}

static inline bool napi_reload_is_(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // NAPI_RELOAD_ERRORS_H_
