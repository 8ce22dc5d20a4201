// Numbers of objects, by their identity: a Map or a WeakMap of JavaScript, for Node-API can compare
// two objects and no more.
//
// While an exception is pending, and in a Worker that is being terminated, nothing is noted and
// nothing found. Threads: the env's.

#ifndef NAPI_RELOAD_OBJECT_NUMBERS_H_
#define NAPI_RELOAD_OBJECT_NUMBERS_H_

#include <node_api.h>

#include <cstdint>

namespace napi_reload {

class ObjectNumbers {
 public:
  enum class Holds { kObjects, kNothing };

  ObjectNumbers(napi_env env, Holds holds) : env_(env), holds_(holds) {}
  ObjectNumbers(const ObjectNumbers&) = delete;
  ObjectNumbers& operator=(const ObjectNumbers&) = delete;
  ~ObjectNumbers();

  // The last number that an object is given counts.
  void Set(napi_value object, int64_t number);
  bool Get(napi_value object, int64_t* number) const;

 private:
  bool Open();

  const napi_env env_;
  const Holds holds_;
  napi_ref map_ = nullptr;
  napi_ref get_ = nullptr;
  napi_ref set_ = nullptr;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_OBJECT_NUMBERS_H_
