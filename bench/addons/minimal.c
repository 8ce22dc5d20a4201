// The least that an addon can be: what remains is the cost of bringing it to life.
#include "version.h"

// So that a host can be asked to collect its garbage.
static napi_value RunScript(napi_env env, napi_callback_info info) {
  napi_value script, result = NULL;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &script, NULL, NULL);
  napi_run_script(env, script, &result);
  return result;
}

NAPI_MODULE_INIT() {
  Define(env, exports, "version", Version);
  Define(env, exports, "runScript", RunScript);
  return exports;
}
