#pragma once

// What one version hands to the next: a table of groups and a table of their bins, column by
// column, as copies. Counts and sums are Float64Array because they outgrow 32 bits; below 2^53 a
// double holds every whole number.
//
// A header, so that only one file of the addon pays for the compilation of napi.h.
#include <napi.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "distribution.h"

namespace stream_stats {

// By hour of departure.
using Groups = std::map<int32_t, Distribution>;

template <typename Array>
Array Column(Napi::Object state, const char* name, napi_typedarray_type type, size_t length) {
  const Napi::Value value = state.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type ||
      value.As<Napi::TypedArray>().ElementLength() != length) {
    throw Napi::TypeError::New(state.Env(), "Cannot take the state: found no column \"" +
                                                std::string(name) + "\" of its type with " +
                                                std::to_string(length) + " entries");
  }
  return value.As<Array>();
}

inline size_t Length(Napi::Object state, const char* name) {
  const Napi::Value value = state.Get(name);
  return value.IsTypedArray() ? value.As<Napi::TypedArray>().ElementLength() : 0;
}

inline Napi::Object SaveGroups(Napi::Env env, const Groups& groups) {
  size_t bins = 0;
  for (const auto& [hour, delays] : groups) bins += delays.bins().size();

  auto hours = Napi::Int32Array::New(env, groups.size());
  auto counts = Napi::Float64Array::New(env, groups.size());
  auto sums = Napi::Float64Array::New(env, groups.size());
  auto bin_ends = Napi::Uint32Array::New(env, groups.size());
  auto bin_values = Napi::Int32Array::New(env, bins);
  auto bin_counts = Napi::Float64Array::New(env, bins);

  size_t group = 0;
  size_t bin = 0;
  for (const auto& [hour, delays] : groups) {
    hours[group] = hour;
    counts[group] = static_cast<double>(delays.moments().count);
    sums[group] = static_cast<double>(delays.moments().sum);
    for (const auto& [value, times] : delays.bins()) {
      bin_values[bin] = value;
      bin_counts[bin] = static_cast<double>(times);
      bin += 1;
    }
    bin_ends[group] = static_cast<uint32_t>(bin);
    group += 1;
  }

  Napi::Object state = Napi::Object::New(env);
  state["hours"] = hours;
  state["counts"] = counts;
  state["sums"] = sums;
  state["binEnds"] = bin_ends;
  state["binValues"] = bin_values;
  state["binCounts"] = bin_counts;
  return state;
}

inline Groups RestoreGroups(Napi::Object state) {
  const size_t rows = Length(state, "hours");
  const size_t bins = Length(state, "binValues");
  auto hours = Column<Napi::Int32Array>(state, "hours", napi_int32_array, rows);
  auto counts = Column<Napi::Float64Array>(state, "counts", napi_float64_array, rows);
  auto sums = Column<Napi::Float64Array>(state, "sums", napi_float64_array, rows);
  auto bin_ends = Column<Napi::Uint32Array>(state, "binEnds", napi_uint32_array, rows);
  auto bin_values = Column<Napi::Int32Array>(state, "binValues", napi_int32_array, bins);
  auto bin_counts = Column<Napi::Float64Array>(state, "binCounts", napi_float64_array, bins);

  Groups groups;
  size_t bin = 0;
  for (size_t group = 0; group < rows; group += 1) {
    Moments moments;
    moments.count = static_cast<int64_t>(counts[group]);
    moments.sum = static_cast<int64_t>(sums[group]);
    Bins delays;
    if (bin_ends[group] > bins) {
      throw Napi::RangeError::New(state.Env(),
                                  "Cannot take the state: \"binEnds\" is past the bins");
    }
    for (; bin < bin_ends[group]; bin += 1) {
      delays.emplace_hint(delays.end(), bin_values[bin], static_cast<int64_t>(bin_counts[bin]));
    }
    if (!Agree(moments, delays)) {
      throw Napi::RangeError::New(state.Env(), "Cannot take the state: totals and bins of hour " +
                                                   std::to_string(hours[group]) + " do not agree");
    }
    groups.emplace_hint(groups.end(), hours[group], Distribution(moments, std::move(delays)));
  }
  return groups;
}

}  // namespace stream_stats
