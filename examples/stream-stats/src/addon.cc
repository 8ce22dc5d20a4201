// Statistics of flight delays, over all flights and for each hour of the day.
//
//   push(Float64Array)  rows as pairs: delay in minutes, hour of departure
//   summary()           { count, mean, min, max, median } of all delays
//   groups()            the same for each hour, in ascending order
//   napiReload          the hooks that carry the state into the next version
#include <napi.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "distribution.h"
#include "state.h"

namespace stream_stats {
namespace {

constexpr int kSchema = 1;
constexpr size_t kColumns = 2;
constexpr auto kProperty = napi_default_jsproperty;

bool IsWhole(double value) {
  return value >= std::numeric_limits<int32_t>::min() &&
         value <= std::numeric_limits<int32_t>::max() && value == std::trunc(value);
}

Napi::Object Describe(Napi::Env env, const Distribution& delays) {
  Napi::Object result = Napi::Object::New(env);
  result["count"] = static_cast<double>(delays.Count());
  if (delays.Count() == 0) return result;
  result["mean"] = delays.Mean();
  result["min"] = delays.Min();
  result["max"] = delays.Max();
  result["median"] = delays.Percentile(50);
  return result;
}

// One for each environment, on its thread.
class StreamStats : public Napi::Addon<StreamStats> {
 public:
  StreamStats(Napi::Env env, Napi::Object exports) {
    Napi::Object hooks =
        DefineProperties(Napi::Object::New(env),
                         {InstanceValue("schema", Napi::Number::New(env, kSchema), kProperty),
                          InstanceMethod("init", &StreamStats::TakeState, kProperty),
                          InstanceMethod("save", &StreamStats::SaveState, kProperty),
                          InstanceMethod("dispose", &StreamStats::Dispose, kProperty)});
    DefineAddon(exports, {InstanceMethod("push", &StreamStats::Push, kProperty),
                          InstanceMethod("summary", &StreamStats::Summary, kProperty),
                          InstanceMethod("groups", &StreamStats::ListGroups, kProperty),
                          InstanceValue("napiReload", hooks, kProperty)});
  }

 private:
  // Takes all rows of a batch or, when one of them is no flight, none. Returns how many it took.
  Napi::Value Push(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsTypedArray() ||
        info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
      throw Napi::TypeError::New(env, "Cannot push: wanted a Float64Array");
    }
    const auto batch = info[0].As<Napi::Float64Array>();
    const double* cells = batch.Data();
    const size_t length = batch.ElementLength();
    if (length % kColumns != 0) {
      throw Napi::RangeError::New(env, "Cannot push: wanted pairs of delay and hour");
    }
    for (size_t i = 0; i < length; i += 1) {
      if (!IsWhole(cells[i])) {
        throw Napi::RangeError::New(env, "Cannot push: found " + std::to_string(cells[i]) +
                                             " at index " + std::to_string(i) +
                                             ", wanted whole minutes and hours");
      }
    }
    for (size_t i = 0; i < length; i += kColumns) {
      const auto delay = static_cast<int32_t>(cells[i]);
      all_.Add(delay);
      groups_[static_cast<int32_t>(cells[i + 1])].Add(delay);
    }
    return Napi::Number::New(env, static_cast<double>(length / kColumns));
  }

  Napi::Value Summary(const Napi::CallbackInfo& info) { return Describe(info.Env(), all_); }

  Napi::Value ListGroups(const Napi::CallbackInfo& info) {
    Napi::Array list = Napi::Array::New(info.Env(), groups_.size());
    uint32_t index = 0;
    for (const auto& [hour, delays] : groups_) {
      Napi::Object entry = Describe(info.Env(), delays);
      entry["hour"] = hour;
      list[index++] = entry;
    }
    return list;
  }

  void TakeState(const Napi::CallbackInfo& info) {
    const Napi::Value state = info[0].As<Napi::Object>().Get("state");
    if (state.IsUndefined()) return;
    Groups groups = RestoreGroups(state.As<Napi::Object>());
    Distribution all;
    for (const auto& [hour, delays] : groups) all.Merge(delays);
    groups_ = std::move(groups);
    all_ = std::move(all);
  }

  Napi::Value SaveState(const Napi::CallbackInfo& info) { return SaveGroups(info.Env(), groups_); }

  // A retired version may stay in memory; what it has collected need not.
  void Dispose(const Napi::CallbackInfo&) {
    groups_.clear();
    all_ = Distribution();
  }

  Distribution all_;
  Groups groups_;
};

}  // namespace

NODE_API_ADDON(StreamStats)

}  // namespace stream_stats
