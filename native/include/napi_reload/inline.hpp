// Of napi_reload.hpp: the functions that it declares.
#ifndef NAPI_RELOAD_INLINE_HPP_
#define NAPI_RELOAD_INLINE_HPP_

#include "../napi_reload.hpp"

namespace napi_reload {

inline Reason Context::Reason() const {
  switch (napi_reload_get_reason(&context_)) {
    case napi_reload_reason_reload:
      return napi_reload::Reason::kReload;
    case napi_reload_reason_rollback:
      return napi_reload::Reason::kRollback;
    default:
      return napi_reload::Reason::kFirst;
  }
}

inline Napi::Value Context::State() const {
  const napi_value state = napi_reload_get_state(&context_);
  return state == nullptr ? Env().Undefined() : Napi::Value(context_.env, state);
}

inline Origin Context::From() const {
  Origin origin;
  napi_reload_get_from(&context_, &origin.version, &origin.schema);
  return origin;
}

template <typename T>
Memory<T> Context::Memory(const char* name, size_t count, Size size) const {
  void* const data = napi_reload_get_elements_(
      &context_, name, count, sizeof(T),
      size == Size::kGrow ? napi_reload_memory_grow : napi_reload_memory_fixed);
  if (data == nullptr) {
    details::ThrowPending(context_.env);
    return {};
  }
  return {static_cast<T*>(data), count};
}

template <typename Owner>
Hooks<Owner>::Hooks(Napi::Object exports, Owner* owner) : env_(exports.Env()), owner_(owner) {
  if (napi_create_object(env_, &object_) == napi_ok &&
      napi_reload_set_(env_, exports, "napiReload", object_)) {
    return;
  }
  details::ThrowPending(env_);
}

template <typename Owner>
Hooks<Owner>& Hooks<Owner>::Schema(uint32_t schema) {
  if (!napi_reload_set_schema_(env_, object_, schema)) details::ThrowPending(env_);
  return *this;
}

template <typename Owner>
Hooks<Owner>& Hooks<Owner>::Accepts(std::initializer_list<uint32_t> schemas) {
  if (!napi_reload_set_schemas_(env_, object_, schemas.begin(), schemas.size())) {
    details::ThrowPending(env_);
  }
  return *this;
}

template <typename Owner>
template <typename T>
ClassHooks<T> Hooks<Owner>::Class(const char* name) {
  napi_value classes = napi_reload_get_(env_, object_, "classes", napi_object);
  napi_value described = nullptr;
  const bool is_first = classes == nullptr;
  if ((is_first && (napi_create_object(env_, &classes) != napi_ok ||
                    !napi_reload_set_(env_, object_, "classes", classes))) ||
      napi_create_object(env_, &described) != napi_ok ||
      !napi_reload_set_(env_, classes, name, described)) {
    details::ThrowPending(env_);
  }
  return ClassHooks<T>(env_, described);
}

}  // namespace napi_reload

#endif  // NAPI_RELOAD_INLINE_HPP_
