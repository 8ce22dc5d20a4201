// Prices by their size, as a class of JavaScript whose instances move into the next version.
//
//   new Histogram()
//   record(cents)       counts a price, and returns how many there are
//   quantile(fraction)  an upper bound of that part of the prices, in cents
#pragma once

#include <napi.h>

#include <array>
#include <cstdint>

namespace quotes {

class Histogram : public Napi::ObjectWrap<Histogram> {
 public:
  static Napi::Function Define(Napi::Env env);

  // Of a new one, or of one that moves: then the counts that the old version saved.
  explicit Histogram(const Napi::CallbackInfo& info);

  Napi::Value Save(Napi::Env env);

 private:
  Napi::Value Record(const Napi::CallbackInfo& info);
  Napi::Value Quantile(const Napi::CallbackInfo& info);

  // Prices below 2^i cents, but not below 2^(i - 1).
  std::array<double, 64> counts_{};
  double total_ = 0;
};

}  // namespace quotes
