#include "histogram.h"

#include <cmath>

namespace quotes {
namespace {

size_t BucketOf(int64_t cents) {
  size_t bucket = 0;
  while (cents > 0) {
    cents >>= 1;
    bucket += 1;
  }
  return bucket;
}

}  // namespace

Napi::Function Histogram::Define(Napi::Env env) {
  return DefineClass(env, "Histogram",
                     {InstanceMethod<&Histogram::Record>("record", napi_default_method),
                      InstanceMethod<&Histogram::Quantile>("quantile", napi_default_method)});
}

Histogram::Histogram(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Histogram>(info) {
  if (!info[0].IsTypedArray()) return;
  const auto saved = info[0].As<Napi::Float64Array>();
  if (saved.ElementLength() != counts_.size()) {
    throw Napi::RangeError::New(info.Env(), "Cannot take a histogram of other buckets");
  }
  for (size_t i = 0; i < counts_.size(); i += 1) {
    counts_[i] = saved[i];
    total_ += saved[i];
  }
}

Napi::Value Histogram::Save(Napi::Env env) {
  auto saved = Napi::Float64Array::New(env, counts_.size());
  for (size_t i = 0; i < counts_.size(); i += 1) saved[i] = counts_[i];
  return saved;
}

Napi::Value Histogram::Record(const Napi::CallbackInfo& info) {
  counts_[BucketOf(info[0].As<Napi::Number>().Int64Value())] += 1;
  total_ += 1;
  return Napi::Number::New(info.Env(), total_);
}

Napi::Value Histogram::Quantile(const Napi::CallbackInfo& info) {
  const double wanted = info[0].As<Napi::Number>().DoubleValue() * total_;
  double seen = 0;
  size_t bucket = 0;
  while (bucket + 1 < counts_.size()) {
    seen += counts_[bucket];
    if (seen >= wanted) break;
    bucket += 1;
  }
  return Napi::Number::New(info.Env(), std::ldexp(1.0, static_cast<int>(bucket)));
}

}  // namespace quotes
