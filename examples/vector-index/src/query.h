#pragma once

// One query, answered on a thread of libuv's pool.
//
// A header, so that only one file of the addon pays for the compilation of napi.h.
#include <napi.h>

#include <cstdint>
#include <vector>

#include "layout.h"
#include "search.h"

namespace vector_index {

// Deletes itself once its promise is settled. A version that was replaced stays until then.
class Query : public Napi::AsyncWorker {
 public:
  // `answered` counts answers, and is used on the JavaScript thread alone.
  Query(Napi::Env env, const Index& index, const float* vector, uint32_t count, uint64_t* answered)
      : Napi::AsyncWorker(env, "vector_index.search"),
        index_(index),
        vector_(vector, vector + kDimensions),
        count_(count),
        answered_(answered),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

 private:
  void Execute() override { neighbors_ = Search(index_, vector_.data(), count_); }

  void OnOK() override {
    auto ids = Napi::Uint32Array::New(Env(), neighbors_.size());
    auto distances = Napi::Float32Array::New(Env(), neighbors_.size());
    for (size_t i = 0; i < neighbors_.size(); i += 1) {
      ids[i] = neighbors_[i].id;
      distances[i] = neighbors_[i].distance;
    }
    Napi::Object answer = Napi::Object::New(Env());
    answer["ids"] = ids;
    answer["distances"] = distances;
    *answered_ += 1;
    deferred_.Resolve(answer);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Index index_;
  std::vector<float> vector_;
  uint32_t count_;
  uint64_t* answered_;
  Napi::Promise::Deferred deferred_;
  std::vector<Neighbor> neighbors_;
};

}  // namespace vector_index
