// One call that computes something of each element of a large array, and one that says who answers.
#include <math.h>
#include <node_api.h>

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

static napi_value Version(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_int32(env, VERSION, &result);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"sum", NULL, Sum, NULL, NULL, NULL, napi_enumerable, NULL},
      {"version", NULL, Version, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  return exports;
}
