// Of napi_reload.h: how its functions fail. Names that end in an underscore are not for use. No
// header of the C library is included: each takes longer to read than all of these.
#ifndef NAPI_RELOAD_ERRORS_H_
#define NAPI_RELOAD_ERRORS_H_

#include <node_api.h>

// In C++ all functions are templates, whose bodies a compiler looks at closely only where they are
// called: that takes a quarter off the time of an include. Casts are those that -Wold-style-cast
// wants.
#ifdef __cplusplus
#define NAPI_RELOAD_INLINE_  \
  template <typename = void> \
  static inline
#define NAPI_RELOAD_CAST_(type, value) static_cast<type>(value)
#else
#define NAPI_RELOAD_INLINE_ static inline
#define NAPI_RELOAD_CAST_(type, value) ((type)(value))
#endif

// Leaves an exception, unless one is pending: the first failure is the one to tell of.
NAPI_RELOAD_INLINE_ void napi_reload_fail_(napi_env env, const char* attempted, const char* name,
                                           const char* found) {
  const char* const parts[] = {"Cannot ", attempted, " \"", name, "\": ", found};
  char message[256];
  size_t length = 0;
  size_t i;
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) != napi_ok || is_pending) return;
  for (i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char* from = parts[i];
    while (from != NULL && *from != '\0' && length < sizeof message - 1)
      message[length++] = *from++;
  }
  message[length] = '\0';
  napi_throw_error(env, NULL, message);
}

#endif  // NAPI_RELOAD_ERRORS_H_
