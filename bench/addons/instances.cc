// A class of node-addon-api that is ready to move: what a mover's own share is smaller than its
// allocations.
#include <napi_reload.hpp>

namespace {

class Point : public Napi::ObjectWrap<Point> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Point", {InstanceMethod<&Point::Get>("get")});
  }
  explicit Point(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Point>(info), value_(info[0].As<Napi::Number>()) {}
  double Save() { return value_; }

 private:
  Napi::Value Get(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), value_ * VERSION);
  }

  double value_;
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports["Point"] = Point::Define(env);
  napi_reload::Hooks<>(exports).Class<Point>("Point").Save<&Point::Save>();
  return exports;
}

}  // namespace

NODE_API_MODULE(bench, Init)
