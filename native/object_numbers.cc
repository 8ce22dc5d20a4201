#include "object_numbers.h"

#include <initializer_list>

namespace napi_reload {
namespace {

// Whatever is made while it lives goes with it.
class Scope {
 public:
  explicit Scope(napi_env env) : env_(env) {
    if (napi_open_handle_scope(env, &scope_) != napi_ok) scope_ = nullptr;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    if (scope_ != nullptr) napi_close_handle_scope(env_, scope_);
  }

 private:
  const napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

bool Refer(napi_env env, napi_value object, const char* name, napi_ref* reference) {
  napi_value value = nullptr;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_create_reference(env, value, 1, reference) == napi_ok;
}

napi_status Call(napi_env env, napi_ref map, napi_ref function, size_t count,
                 const napi_value* arguments, napi_value* result) {
  napi_value receiver = nullptr;
  napi_value callee = nullptr;
  if (napi_get_reference_value(env, map, &receiver) != napi_ok) return napi_generic_failure;
  if (napi_get_reference_value(env, function, &callee) != napi_ok) return napi_generic_failure;
  return napi_call_function(env, receiver, callee, count, arguments, result);
}

}  // namespace

bool ObjectNumbers::Open() {
  if (map_ != nullptr) return get_ != nullptr && set_ != nullptr;
  const char* const name = holds_ == Holds::kObjects ? "Map" : "WeakMap";
  napi_value global = nullptr;
  napi_value constructor = nullptr;
  napi_value map = nullptr;
  return napi_get_global(env_, &global) == napi_ok &&
         napi_get_named_property(env_, global, name, &constructor) == napi_ok &&
         napi_new_instance(env_, constructor, 0, nullptr, &map) == napi_ok &&
         napi_create_reference(env_, map, 1, &map_) == napi_ok && Refer(env_, map, "get", &get_) &&
         Refer(env_, map, "set", &set_);
}

ObjectNumbers::~ObjectNumbers() {
  for (const napi_ref reference : {map_, get_, set_}) {
    if (reference != nullptr) napi_delete_reference(env_, reference);
  }
}

void ObjectNumbers::Set(napi_value object, int64_t number) {
  const Scope scope(env_);
  napi_value arguments[] = {object, nullptr};
  if (!Open() || napi_create_int64(env_, number, &arguments[1]) != napi_ok) return;
  Call(env_, map_, set_, 2, arguments, nullptr);
}

bool ObjectNumbers::Get(napi_value object, int64_t* number) const {
  const Scope scope(env_);
  napi_value found = nullptr;
  return set_ != nullptr && Call(env_, map_, get_, 1, &object, &found) == napi_ok &&
         napi_get_value_int64(env_, found, number) == napi_ok;
}

}  // namespace napi_reload
