// An index of vectors that finds the nearest ones to a query. The whole index is in ctx.memory.
//
//   build(Float32Array)          takes vectors, one after the other; vector i is called i
//   search(Float32Array, count)  a promise of { ids, distances }, nearest first
//   describe()                   what the index is and where: its size, addresses and checksum
//   napiReload                   the hook that finds the index again in the next version
#include <napi.h>

#include <cstdint>
#include <string>

#include "build.h"
#include "checksum.h"
#include "layout.h"
#include "memory.h"
#include "napi_reload.hpp"
#include "query.h"

namespace vector_index {
namespace {

constexpr auto kProperty = napi_default_jsproperty;

Napi::Float32Array Floats(Napi::Env env, const Napi::Value& value, const char* attempt) {
  if (!value.IsTypedArray() ||
      value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw Napi::TypeError::New(env, "Cannot " + std::string(attempt) + ": wanted a Float32Array");
  }
  return value.As<Napi::Float32Array>();
}

// One for each environment, on its thread.
class VectorIndex : public Napi::Addon<VectorIndex> {
 public:
  VectorIndex(Napi::Env, Napi::Object exports) {
    DefineAddon(exports, {InstanceMethod("build", &VectorIndex::BuildIndex, kProperty),
                          InstanceMethod("search", &VectorIndex::StartQuery, kProperty),
                          InstanceMethod("describe", &VectorIndex::Describe, kProperty)});
    napi_reload::Hooks(exports, this).Init<&VectorIndex::FindIndex>();
  }

 private:
  void FindIndex(const napi_reload::Context& context) {
    answered_ = context.Memory<uint64_t>("answered", 1).data();
    index_ = OpenIndex(context);
  }

  // Where a plain require() loaded the addon, nobody has called FindIndex.
  const Index& Found(Napi::Env env) {
    if (index_.header == nullptr) FindIndex(napi_reload::Context::Plain(env));
    return index_;
  }

  void BuildIndex(const Napi::CallbackInfo& info) {
    const auto vectors = Floats(info.Env(), info[0], "build");
    const size_t count = vectors.ElementLength() / kDimensions;
    if (vectors.ElementLength() % kDimensions != 0 || count < kLists || count > kVectorsMax) {
      throw Napi::RangeError::New(info.Env(), "Cannot build: wanted " + std::to_string(kLists) +
                                                  " to " + std::to_string(kVectorsMax) +
                                                  " vectors of " + std::to_string(kDimensions) +
                                                  " components");
    }
    const Index& index = Found(info.Env());
    if (index.header->builds > 0) {
      throw Napi::Error::New(info.Env(), "Cannot build: there is an index, and it may be in use");
    }
    Build(index, vectors.Data(), static_cast<uint32_t>(count));
  }

  Napi::Value StartQuery(const Napi::CallbackInfo& info) {
    const Index& index = Found(info.Env());
    const auto vector = Floats(info.Env(), info[0], "search");
    const uint32_t count = info[1].As<Napi::Number>().Uint32Value();
    if (vector.ElementLength() != kDimensions || count == 0 || count > index.header->vectors) {
      throw Napi::RangeError::New(info.Env(), "Cannot search: wanted " +
                                                  std::to_string(kDimensions) +
                                                  " components, and a count from 1 to " +
                                                  std::to_string(index.header->vectors));
    }
    auto* const query = new Query(info.Env(), index, vector.Data(), count, answered_);
    const Napi::Promise promise = query->Promise();
    query->Queue();
    return promise;
  }

  Napi::Value Describe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Index& index = Found(env);
    Napi::Object result = Napi::Object::New(env);
    result["vectors"] = index.header->vectors;
    result["lists"] = kLists;
    result["builds"] = index.header->builds;
    result["answered"] = static_cast<double>(*answered_);
    result["addresses"] = Addresses(env, index);
    result["checksum"] = std::to_string(ChecksumOf(index));
    return result;
  }

  Index index_;
  uint64_t* answered_ = nullptr;
};

}  // namespace

NODE_API_ADDON(VectorIndex)

}  // namespace vector_index
