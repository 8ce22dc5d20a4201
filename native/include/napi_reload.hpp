// napi_reload.hpp: what napi-reload wants to know of an addon, in C++17 on node-addon-api.
//
//   class Counter : public Napi::Addon<Counter> {
//    public:
//     Counter(Napi::Env env, Napi::Object exports) {
//       DefineAddon(exports, {InstanceMethod("add", &Counter::Add)});
//       napi_reload::Hooks(exports, this).Schema(2).Init<&Counter::Init>().Save<&Counter::Save>();
//     }
//
//    private:
//     void Init(const napi_reload::Context& context);
//     double Save() { return total_; }
//   };
//
// It makes the plain object `exports.napiReload` and nothing else: no globals, no memory of its
// own, and no link to napi-reload. Where the addon is loaded by a plain require(), nobody looks at
// that object. All of it runs on the thread of its environment, and fails as node-addon-api does:
// with C++ exceptions by throwing a Napi::Error, without them by leaving a JavaScript exception
// pending.
#ifndef NAPI_RELOAD_HPP_
#define NAPI_RELOAD_HPP_

#include <napi.h>

#include "napi_reload.h"
#include "napi_reload/call.hpp"

namespace napi_reload {

// Why a version comes to life.
enum class Reason { kFirst, kReload, kRollback };

// What becomes of memory that was asked for with another size before.
enum class Size {
  kFixed,  // an error
  kGrow    // more bytes behind those that were there
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
  // loaded. One that needs it calls it itself, from the first function that finds no state. Memory
  // is then an ArrayBuffer for each name.
  static Context Plain(Napi::Env env) { return Context(napi_reload_plain_context(env)); }

  Napi::Env Env() const { return context_.env; }
  napi_reload::Reason Reason() const;
  // What `Save` of the old version returned; undefined where there is no state.
  Napi::Value State() const;
  Origin From() const;

  // So many elements, all 0 at first, and the same ones for each version that asks for this name.
  // Empty when it cannot be had, where C++ has no exceptions.
  template <typename T>
  napi_reload::Memory<T> Memory(const char* name, size_t count, Size size = Size::kFixed) const;

 private:
  explicit Context(const napi_reload_context& context) : context_(context) {}

  napi_reload_context context_;
};

// Tells how instances of the class T move into the next version.
template <typename T>
class ClassHooks {
 public:
  ClassHooks(napi_env env, napi_value object) : env_(env), object_(object) {}

  // Of the old version: a member function of T that returns any value, and leaves the instance as
  // it is. It takes a Napi::Env or nothing.
  template <auto kHook>
  ClassHooks& Save() {
    return Add<&details::CallInstanceSave<kHook, T>>("save");
  }
  // Of the new version: a static function that makes of the state, a Napi::Value, an array of
  // arguments for the constructor. Without it, the constructor gets the state alone.
  template <auto kHook>
  ClassHooks& Args() {
    return Add<&details::CallInstanceArgs<kHook>>("args");
  }
  // Of the new version: a member function of T that takes the state, a Napi::Value, once the
  // constructor has returned.
  template <auto kHook>
  ClassHooks& Restore() {
    return Add<&details::CallInstanceRestore<kHook, T>>("restore");
  }

 private:
  template <Napi::Function::Callback kCall>
  ClassHooks& Add(const char* name) {
    details::Set(env_, object_, name, Napi::Function::New<kCall>(env_, name));
    return *this;
  }

  napi_env env_;
  napi_value object_;
};

// Makes `exports.napiReload`. Hooks are member functions of the owner, which must live as long as
// its environment (such as a Napi::Addon), or functions. Each is named as a template argument; what
// it takes is optional.
template <typename Owner = void>
class Hooks {
 public:
  explicit Hooks(Napi::Object exports, Owner* owner = nullptr);

  // The layout of what `Save` returns, from 1, which is the default.
  Hooks& Schema(uint32_t schema);
  // Schemas that `Init` takes as they are.
  Hooks& Accepts(std::initializer_list<uint32_t> schemas);

  // New version, before the switch: takes a const Context&; returns nothing, or a promise.
  template <auto kHook>
  Hooks& Prepare() {
    return Add<&details::CallWithContext<kHook, Owner, Context>>("prepare");
  }
  // New version, at the first load and in each switch: takes a const Context&, returns nothing.
  template <auto kHook>
  Hooks& Init() {
    static_assert(details::ReturnsVoid<kHook, Owner, Context>(), "Init returns nothing");
    return Add<&details::CallWithContext<kHook, Owner, Context>>("init");
  }
  // Old version, in the switch: takes a Napi::Env; returns any value, and leaves the state as it
  // is.
  template <auto kHook>
  Hooks& Save() {
    static_assert(!details::ReturnsVoid<kHook, Owner, Napi::Env>(), "Save returns the state");
    return Add<&details::CallWithEnv<kHook, Owner>>("save");
  }
  // Old version, after the switch: takes a Napi::Env; returns nothing, or a promise.
  template <auto kHook>
  Hooks& Dispose() {
    return Add<&details::CallWithEnv<kHook, Owner>>("dispose");
  }
  // Old version, when a reload failed in `Save` or later: takes a Napi::Env, returns nothing.
  template <auto kHook>
  Hooks& Resume() {
    static_assert(details::ReturnsVoid<kHook, Owner, Napi::Env>(), "Resume returns nothing");
    return Add<&details::CallWithEnv<kHook, Owner>>("resume");
  }
  // How live instances of T, a Napi::ObjectWrap, move. `name` is that of the class among the
  // exports.
  template <typename T>
  ClassHooks<T> Class(const char* name);

 private:
  template <Napi::Function::Callback kCall>
  Hooks& Add(const char* name) {
    details::Set(env_, object_, name, Napi::Function::New<kCall>(env_, name, owner_));
    return *this;
  }

  napi_env env_;
  napi_value object_ = nullptr;
  Owner* owner_;
};

}  // namespace napi_reload

#include "napi_reload/inline.hpp"

#endif  // NAPI_RELOAD_HPP_
