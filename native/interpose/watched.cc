// Functions that may leave an exception pending in the env. They keep no pointer of the addon; the
// ledger only wants to know, without asking after each call, that an exception may be there.

#include "table.h"

namespace napi_reload::interpose {
namespace {

template <auto kReal>
struct Watch;

template <typename... Arguments, napi_status (*kReal)(napi_env, Arguments...)>
struct Watch<kReal> {
  static napi_status Call(napi_env env, Arguments... arguments) {
    return Checked(env, kReal(env, arguments...));
  }
  // A function that throws returns napi_ok.
  static napi_status Throw(napi_env env, Arguments... arguments) {
    MarkFailure(env);
    return kReal(env, arguments...);
  }
};

// Functions of newer Node.js.
napi_status SetPrototype(napi_env env, napi_value object, napi_value prototype) {
  static const auto real =
      Real<napi_status (*)(napi_env, napi_value, napi_value)>("node_api_set_prototype");
  return Checked(env, real(env, object, prototype));
}

napi_status CreateObject(napi_env env, napi_value prototype, const napi_value* names,
                         const napi_value* values, size_t count, napi_value* result) {
  using Create = napi_status (*)(napi_env, napi_value, const napi_value*, const napi_value*, size_t,
                                 napi_value*);
  static const auto real = Real<Create>("node_api_create_object_with_properties");
  return Checked(env, real(env, prototype, names, values, count, result));
}

}  // namespace

void AddWatched(Table* table) {
#define WATCH(name) table->Add(#name, &Watch<&name>::Call)
  WATCH(napi_call_function);
  WATCH(napi_check_object_type_tag);
  WATCH(napi_coerce_to_bool);
  WATCH(napi_coerce_to_number);
  WATCH(napi_coerce_to_object);
  WATCH(napi_coerce_to_string);
  WATCH(napi_create_arraybuffer);
  WATCH(napi_create_bigint_words);
  WATCH(napi_create_buffer);
  WATCH(napi_create_buffer_copy);
  WATCH(napi_create_dataview);
  WATCH(napi_create_date);
  WATCH(napi_create_promise);
  WATCH(napi_create_typedarray);
  WATCH(napi_delete_element);
  WATCH(napi_delete_property);
  WATCH(napi_get_all_property_names);
  WATCH(napi_get_element);
  WATCH(napi_get_named_property);
  WATCH(napi_get_property);
  WATCH(napi_get_property_names);
  WATCH(napi_get_prototype);
  WATCH(napi_has_element);
  WATCH(napi_has_named_property);
  WATCH(napi_has_own_property);
  WATCH(napi_has_property);
  WATCH(napi_instanceof);
  WATCH(napi_make_callback);
  WATCH(napi_new_instance);
  WATCH(napi_object_freeze);
  WATCH(napi_object_seal);
  WATCH(napi_reject_deferred);
  WATCH(napi_resolve_deferred);
  WATCH(napi_run_script);
  WATCH(napi_set_element);
  WATCH(napi_set_named_property);
  WATCH(napi_set_property);
  WATCH(napi_strict_equals);
#undef WATCH
#define THROW(name) table->Add(#name, &Watch<&name>::Throw)
  THROW(napi_throw);
  THROW(napi_throw_error);
  THROW(napi_throw_range_error);
  THROW(napi_throw_type_error);
  THROW(node_api_throw_syntax_error);
#undef THROW
  table->Add("node_api_set_prototype", SetPrototype);
  table->Add("node_api_create_object_with_properties", CreateObject);
}

}  // namespace napi_reload::interpose
