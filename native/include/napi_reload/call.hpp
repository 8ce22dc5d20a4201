// Of napi_reload.hpp: how JavaScript calls a hook. Nothing here is for use.
#ifndef NAPI_RELOAD_CALL_HPP_
#define NAPI_RELOAD_CALL_HPP_

#include <napi.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "object.h"

namespace napi_reload::details {

// Hands a pending JavaScript exception on as node-addon-api does.
inline void ThrowPending([[maybe_unused]] napi_env env) {
#if defined(NODE_ADDON_API_CPP_EXCEPTIONS) || defined(NAPI_CPP_EXCEPTIONS)
  throw Napi::Error::New(env);
#endif
}

// Calls a member function of the owner, or a function, with the arguments or without any.
template <auto kHook, typename Owner, typename... Args>
decltype(auto) Call([[maybe_unused]] Owner* owner, [[maybe_unused]] const Args&... args) {
  using Hook = decltype(kHook);
  if constexpr (std::is_invocable_v<Hook, Owner*, const Args&...>) {
    return std::invoke(kHook, owner, args...);
  } else if constexpr (std::is_invocable_v<Hook, Owner*>) {
    return std::invoke(kHook, owner);
  } else if constexpr (std::is_invocable_v<Hook, const Args&...>) {
    return kHook(args...);
  } else {
    static_assert(std::is_invocable_v<Hook>,
                  "a hook is a member function of the owner, or a function, that takes what its "
                  "comment says, or nothing");
    return kHook();
  }
}

template <auto kHook, typename Owner, typename... Args>
using Result = decltype(Call<kHook>(std::declval<Owner*>(), std::declval<const Args&>()...));

// A Napi::Value of any kind, or the napi_value of it.
template <typename T>
constexpr bool kIsValue = std::is_convertible_v<T, napi_value>;

// What Napi::Value::From takes.
template <typename T>
constexpr bool kIsState =
    kIsValue<T> || std::is_arithmetic_v<T> || std::is_convertible_v<T, std::string> ||
    std::is_convertible_v<T, std::u16string>;

// The result of a hook as a value; undefined, where it returns nothing.
template <auto kHook, typename Owner, typename... Args>
Napi::Value Answer(Napi::Env env, Owner* owner, const Args&... args) {
  using Returned = Result<kHook, Owner, Args...>;
  if constexpr (std::is_void_v<Returned>) {
    Call<kHook>(owner, args...);
    return Napi::Value();
  } else {
    return Napi::Value::From(env, Call<kHook>(owner, args...));
  }
}

template <auto kHook, typename Owner, typename Context>
Napi::Value CallWithContext(const Napi::CallbackInfo& info) {
  const Context context(info.Env(), info[0]);
  return Answer<kHook>(info.Env(), static_cast<Owner*>(info.Data()), context);
}

template <auto kHook, typename Owner>
Napi::Value CallWithEnv(const Napi::CallbackInfo& info) {
  return Answer<kHook>(info.Env(), static_cast<Owner*>(info.Data()), info.Env());
}

// The object of T that an instance wraps. Null, with an exception pending, where C++ has none.
template <typename T>
T* Unwrap(const Napi::CallbackInfo& info) {
  return T::Unwrap(Napi::Object(info.Env(), info[0]));
}

template <auto kHook, typename T>
Napi::Value CallInstanceSave(const Napi::CallbackInfo& info) {
  T* const instance = Unwrap<T>(info);
  if (instance == nullptr) return Napi::Value();
  return Answer<kHook>(info.Env(), instance, info.Env());
}

template <auto kHook, typename T>
Napi::Value CallInstanceRestore(const Napi::CallbackInfo& info) {
  T* const instance = Unwrap<T>(info);
  if (instance == nullptr) return Napi::Value();
  return Answer<kHook>(info.Env(), instance, info[1]);
}

template <auto kHook>
Napi::Value CallInstanceArgs(const Napi::CallbackInfo& info) {
  return Answer<kHook>(info.Env(), static_cast<void*>(nullptr), info[0]);
}

}  // namespace napi_reload::details

#endif  // NAPI_RELOAD_CALL_HPP_
