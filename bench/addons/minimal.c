// The least that a call can do: what remains is the cost of getting there.
#include <node_api.h>

static napi_value Noop(napi_env env, napi_callback_info info) { return NULL; }

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

static napi_value ReadVersion(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_int32(env, VERSION, &result);
  return result;
}

// So that a host can be asked to collect its garbage.
static napi_value RunScript(napi_env env, napi_callback_info info) {
  napi_value script, result = NULL;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &script, NULL, NULL);
  napi_run_script(env, script, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value noop, add, read_version, run_script, version;
  napi_create_function(env, "noop", NAPI_AUTO_LENGTH, Noop, NULL, &noop);
  napi_create_function(env, "add", NAPI_AUTO_LENGTH, Add, NULL, &add);
  napi_create_function(env, "readVersion", NAPI_AUTO_LENGTH, ReadVersion, NULL, &read_version);
  napi_create_function(env, "runScript", NAPI_AUTO_LENGTH, RunScript, NULL, &run_script);
  napi_create_int32(env, VERSION, &version);
  napi_set_named_property(env, exports, "noop", noop);
  napi_set_named_property(env, exports, "add", add);
  napi_set_named_property(env, exports, "readVersion", read_version);
  napi_set_named_property(env, exports, "runScript", run_script);
  napi_set_named_property(env, exports, "version", version);
  return exports;
}
