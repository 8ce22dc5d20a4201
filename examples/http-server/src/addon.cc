// Quotes of prices, each with a number. What was counted goes on in the next version.
//
//   quote(units)  { version, sequence, cents }: of which version, which of all quotes, and the
//   price Histogram     a class: see histogram.h napiReload    the hooks that carry both into the
//   next version
#include <napi.h>

#include <cstdint>

#include "histogram.h"
#include "napi_reload.hpp"
#include "price.h"

namespace quotes {
namespace {

// One for each environment, on its thread.
class Quotes : public Napi::Addon<Quotes> {
 public:
  Quotes(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports, {InstanceMethod("quote", &Quotes::Quote, napi_default_jsproperty)});
    exports.Set("Histogram", Histogram::Define(env));
    napi_reload::Hooks hooks(exports, this);
    hooks.Init<&Quotes::TakeState>().Save<&Quotes::SaveState>();
    hooks.Class<Histogram>("Histogram").Save<&Histogram::Save>();
  }

 private:
  Napi::Value Quote(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    sequence_ += 1;
    Napi::Object quote = Napi::Object::New(env);
    quote["version"] = version_;
    quote["sequence"] = sequence_;
    quote["cents"] = static_cast<double>(PriceOf(info[0].As<Napi::Number>().Uint32Value()));
    return quote;
  }

  void TakeState(const napi_reload::Context& context) {
    if (context.State().IsUndefined()) return;
    const auto state = context.State().As<Napi::Object>();
    version_ = state.Get("version").As<Napi::Number>().Uint32Value() + 1;
    sequence_ = state.Get("sequence").As<Napi::Number>().DoubleValue();
  }

  Napi::Value SaveState(Napi::Env env) {
    Napi::Object state = Napi::Object::New(env);
    state["version"] = version_;
    state["sequence"] = sequence_;
    return state;
  }

  // How many versions there were, this one included.
  uint32_t version_ = 1;
  double sequence_ = 0;
};

}  // namespace

NODE_API_ADDON(Quotes)

}  // namespace quotes
