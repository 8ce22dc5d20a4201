// napi_reload.hpp: what napi-reload wants to know of an addon, in C++17 on node-addon-api.
//
//   class Counter : public Napi::Addon<Counter> {
//    public:
//     Counter(Napi::Env env, Napi::Object exports) {
//       DefineAddon(exports, {InstanceMethod("add", &Counter::Add)});
//       napi_reload::Hooks(exports, this)
//           .Schema(2)
//           .Init<&Counter::TakeState>()
//           .Save<&Counter::SaveState>();
//     }
//
//    private:
//     void TakeState(const napi_reload::Context& context);
//     double SaveState() { return total_; }
//   };
//
// A member of a Napi::Addon cannot be named `Init`: node-addon-api calls that itself.
//
// It makes the plain object `exports.napiReload` and nothing else: no globals, no memory of its
// own, and no link to napi-reload. Where the addon is loaded by a plain require(), nobody looks at
// that object. All of it runs on the thread of its environment, and fails as node-addon-api does:
// with C++ exceptions by throwing a Napi::Error, without them by leaving a JavaScript exception
// pending.
#ifndef NAPI_RELOAD_HPP_
#define NAPI_RELOAD_HPP_

#include <napi.h>

#include <type_traits>

#include "napi_reload/call.hpp"
#include "napi_reload/context.h"
#include "napi_reload/plain.h"

namespace napi_reload {

// Why a version comes to life.
enum class Reason {
  kFirst = napi_reload_reason_first,
  kReload = napi_reload_reason_reload,
  kRollback = napi_reload_reason_rollback,
  kRestart = napi_reload_reason_restart  // its Worker or process has crashed
};

// What becomes of memory that was asked for with another size before.
enum class Size {
  kFixed = napi_reload_memory_fixed,  // an error
  kGrow = napi_reload_memory_grow     // more bytes behind those that were there
};

// Which version a state comes from. False where there is none.
struct Origin {
  uint32_t version = 0;
  uint32_t schema = 0;

  explicit operator bool() const { return version != 0; }
};

// Elements in memory that no version owns. A view, as cheap to copy as a pointer; good on any
// thread, until the environment of the version that asked for it ends. A default one is empty, and
// false.
template <typename T>
class Memory {
  static_assert(std::is_trivially_copyable_v<T>,
                "memory crosses into other versions byte by byte: T must be trivially copyable");
  static_assert(!std::is_pointer_v<T>, "a pointer means nothing to the next version");
  static_assert(alignof(T) <= NAPI_RELOAD_ALIGNMENT, "memory is aligned to 64 bytes");

 public:
  Memory() = default;
  Memory(T* data, size_t size) : data_(data), size_(size) {}

  T* data() const { return data_; }
  size_t size() const { return size_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  T& operator[](size_t index) const { return data_[index]; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

// What `Prepare` and `Init` are given. Good until they return.
class Context {
 public:
  Context(napi_env env, napi_value object) : context_{env, object} {}

  // A first load without napi-reload: nobody calls `Init` of an addon that a plain require()
  // loaded. One that needs it calls it itself, with this: in its constructor, or in the first
  // function that finds no state. Good until the calling function returns. Memory is then a
  // Uint8Array for each name, which another context does not have.
  template <typename = void>
  static Context Plain(Napi::Env env) {
    const napi_value object = napi_reload_plain_context(env).object;
    if (object == nullptr) details::ThrowPending(env);
    return {env, object};
  }

  Napi::Env Env() const { return context_.env; }
  napi_reload::Reason Reason() const {
    char text[16] = "";
    const Napi::Value reason = Read(context_.object, "reason");
    napi_get_value_string_utf8(context_.env, reason, text, sizeof text, nullptr);
    return static_cast<napi_reload::Reason>(napi_reload_reason_of_(text));
  }
  // What `Save` of the old version returned; undefined where there is no state.
  Napi::Value State() const { return Read(context_.object, "state"); }
  Origin From() const {
    const Napi::Value from = Read(context_.object, "from");
    if (!from.IsObject()) return {};
    return {Napi::Number(Env(), Read(from, "version")).Uint32Value(),
            Napi::Number(Env(), Read(from, "schema")).Uint32Value()};
  }

  // So many elements, at least one; all 0 at first, and the same ones for each version that asks
  // for this name. Held until the environment ends, so ask once. Empty when it cannot be had, where
  // C++ has no exceptions.
  template <typename T>
  napi_reload::Memory<T> Memory(const char* name, size_t count, Size size = Size::kFixed) const {
    // Too many are refused as the most bytes that there are.
    const size_t byte_length = count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T);
    void* const data = napi_reload_get_memory(&context_, name, byte_length,
                                              static_cast<napi_reload_memory_mode>(size));
    if (data != nullptr) return {static_cast<T*>(data), count};
    details::ThrowPending(context_.env);
    return {};
  }

 private:
  Napi::Value Read(napi_value object, const char* name) const {
    napi_value value = nullptr;
    if (napi_get_named_property(context_.env, object, name, &value) != napi_ok) {
      details::ThrowPending(context_.env);
    }
    return {context_.env, value};
  }

  napi_reload_context context_;
};

// Tells how instances of the class T move into the next version.
template <typename T>
class ClassHooks {
  static_assert(std::is_base_of_v<Napi::ObjectWrap<T>, T>, "a class is a Napi::ObjectWrap");

 public:
  ClassHooks(napi_env env, napi_value object) : env_(env), object_(object) {}

  // Of the old version: a member function of T that returns any value, and leaves the instance as
  // it is. It takes a Napi::Env or nothing.
  template <auto kHook>
  ClassHooks& Save() {
    static_assert(details::kIsState<details::Result<kHook, T, Napi::Env>>,
                  "Save returns the state of an instance, which Napi::Value::From takes");
    return Add<&details::CallInstanceSave<kHook, T>>("save");
  }
  // Of the new version: a static function that makes of the state, a Napi::Value, an array of
  // arguments for the constructor. Without it, the constructor gets the state alone.
  template <auto kHook>
  ClassHooks& Args() {
    static_assert(details::kIsValue<details::Result<kHook, void, Napi::Value>>,
                  "Args returns an array of arguments");
    return Add<&details::CallInstanceArgs<kHook>>("args");
  }
  // Of the new version: a member function of T that takes the state, a Napi::Value, once the
  // constructor has returned.
  template <auto kHook>
  ClassHooks& Restore() {
    static_assert(std::is_void_v<details::Result<kHook, T, Napi::Value>>,
                  "Restore returns nothing");
    return Add<&details::CallInstanceRestore<kHook, T>>("restore");
  }

 private:
  template <Napi::Function::Callback kCall>
  ClassHooks& Add(const char* name) {
    const napi_value call = Napi::Function::New<kCall>(env_, name);
    if (!napi_reload_set_(env_, object_, name, call)) details::ThrowPending(env_);
    return *this;
  }

  napi_env env_;
  napi_value object_;
};

// Makes `exports.napiReload`. Hooks are member functions of the owner, which must live as long as
// its environment (such as a Napi::Addon), or functions. Each is named as a template argument; what
// it takes is optional. To be used where it is made, before the init of the module returns.
template <typename Owner = void>
class Hooks {
 public:
  explicit Hooks(Napi::Object exports, Owner* owner = nullptr)
      : env_(exports.Env()), owner_(owner) {
    Check(napi_create_object(env_, &object_) == napi_ok &&
          napi_reload_set_(env_, exports, "napiReload", object_));
  }

  // The layout of what `Save` returns, from 1, which is the default.
  Hooks& Schema(uint32_t schema) { return Check(napi_reload_set_schema_(env_, object_, schema)); }
  // Schemas that `Init` takes as they are.
  template <typename... Schemas>
  Hooks& Accepts(Schemas... schemas) {
    const uint32_t list[] = {static_cast<uint32_t>(schemas)...};
    return Check(napi_reload_set_schemas_(env_, object_, list, sizeof...(schemas)));
  }

  // New version, before the switch: takes a const Context&; returns nothing, or a promise.
  template <auto kHook>
  Hooks& Prepare() {
    using Returned = details::Result<kHook, Owner, Context>;
    static_assert(std::is_void_v<Returned> || details::kIsValue<Returned>,
                  "Prepare returns nothing, or a promise");
    return Add<&details::CallWithContext<kHook, Owner, Context>>("prepare");
  }
  // New version, at the first load and in each switch: takes a const Context&, returns nothing.
  template <auto kHook>
  Hooks& Init() {
    static_assert(std::is_void_v<details::Result<kHook, Owner, Context>>, "Init returns nothing");
    return Add<&details::CallWithContext<kHook, Owner, Context>>("init");
  }
  // Old version, in the switch: takes a Napi::Env; returns any value, and leaves the state as it
  // is.
  template <auto kHook>
  Hooks& Save() {
    static_assert(details::kIsState<details::Result<kHook, Owner, Napi::Env>>,
                  "Save returns the state, which Napi::Value::From takes");
    return Add<&details::CallWithEnv<kHook, Owner>>("save");
  }
  // Old version, after the switch: takes a Napi::Env; returns nothing, or a promise.
  template <auto kHook>
  Hooks& Dispose() {
    using Returned = details::Result<kHook, Owner, Napi::Env>;
    static_assert(std::is_void_v<Returned> || details::kIsValue<Returned>,
                  "Dispose returns nothing, or a promise");
    return Add<&details::CallWithEnv<kHook, Owner>>("dispose");
  }
  // Old version, when a reload failed in `Save` or later: takes a Napi::Env, returns nothing.
  template <auto kHook>
  Hooks& Resume() {
    static_assert(std::is_void_v<details::Result<kHook, Owner, Napi::Env>>,
                  "Resume returns nothing");
    return Add<&details::CallWithEnv<kHook, Owner>>("resume");
  }
  // How live instances of T, a Napi::ObjectWrap, move. `name` is that of the class among the
  // exports.
  template <typename T>
  ClassHooks<T> Class(const char* name) {
    napi_value described = nullptr;
    Check((classes_ != nullptr || (napi_create_object(env_, &classes_) == napi_ok &&
                                   napi_reload_set_(env_, object_, "classes", classes_))) &&
          napi_create_object(env_, &described) == napi_ok &&
          napi_reload_set_(env_, classes_, name, described));
    return ClassHooks<T>(env_, described);
  }

 private:
  template <Napi::Function::Callback kCall>
  Hooks& Add(const char* name) {
    return Check(
        napi_reload_set_(env_, object_, name, Napi::Function::New<kCall>(env_, name, owner_)));
  }

  Hooks& Check(bool is_done) {
    if (!is_done) details::ThrowPending(env_);
    return *this;
  }

  napi_env env_;
  napi_value object_ = nullptr;
  napi_value classes_ = nullptr;
  Owner* owner_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_HPP_
