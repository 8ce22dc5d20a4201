// What every addon of the benchmarks has: the number of the build, and functions by their names.
#ifndef BENCH_ADDONS_VERSION_H_
#define BENCH_ADDONS_VERSION_H_

#include <node_api.h>

static inline napi_value Version(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_int32(env, VERSION, &result);
  return result;
}

static inline void Define(napi_env env, napi_value object, const char* name, napi_callback call) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, NULL, &function);
  napi_set_named_property(env, object, name, function);
}

#endif
