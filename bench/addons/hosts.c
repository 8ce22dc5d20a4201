// A small call, and one that computes something of each element of a large array.
#include <math.h>
#include <node_api.h>
#include <unistd.h>

static napi_value Add(napi_env env, napi_callback_info info) {
  napi_value args[2], result;
  size_t count = 2;
  double a = 0, b = 0;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  napi_get_value_double(env, args[0], &a);
  napi_get_value_double(env, args[1], &b);
  napi_create_double(env, a + b, &result);
  return result;
}

// The sum of exp(-x * x) over a Float64Array, which stays as it is.
static napi_value Sum(napi_env env, napi_callback_info info) {
  napi_value array, result;
  size_t count = 1, length = 0;
  void *data = NULL;
  double sum = 0;
  napi_get_cb_info(env, info, &count, &array, NULL, NULL);
  napi_get_typedarray_info(env, array, NULL, &length, &data, NULL, NULL);
  const double *values = data;
  for (size_t i = 0; i < length; i++) sum += exp(-values[i] * values[i]);
  napi_create_double(env, sum, &result);
  return result;
}

static napi_value Pid(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_int32(env, getpid(), &result);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"add", NULL, Add, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sum", NULL, Sum, NULL, NULL, NULL, napi_enumerable, NULL},
      {"pid", NULL, Pid, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  return exports;
}
