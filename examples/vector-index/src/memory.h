#pragma once

// The parts of an index in ctx.memory, under their names.
//
// A header, so that only one file of the addon pays for the compilation of napi.h.
#include <napi.h>

#include <cstdint>
#include <string>

#include "layout.h"
#include "napi_reload.hpp"

namespace vector_index {

inline void CheckHeader(Napi::Env env, const char* field, uint32_t found, uint32_t wanted) {
  if (found == wanted) return;
  throw Napi::Error::New(env, "Cannot use the index: found " + std::string(field) + ": " +
                                  std::to_string(found) + ", wanted " + std::to_string(wanted));
}

// Reads only, so that a version that is refused leaves everything as it was.
inline Index OpenIndex(const napi_reload::Context& context) {
  Index index;
  index.header = context.Memory<Header>("header", 1).data();
  if (index.header->builds > 0) {
    CheckHeader(context.Env(), "layout", index.header->layout, kLayout);
    CheckHeader(context.Env(), "dimensions", index.header->dimensions, kDimensions);
  }
  index.centroids = context.Memory<float>("centroids", size_t{kLists} * kDimensions).data();
  index.starts = context.Memory<uint32_t>("starts", kLists + 1).data();
  index.ids = context.Memory<uint32_t>("ids", kVectorsMax).data();
  index.rows = context.Memory<float>("rows", size_t{kVectorsMax} * kDimensions).data();
  return index;
}

inline Napi::String Address(Napi::Env env, const void* pointer) {
  return Napi::String::New(env, std::to_string(reinterpret_cast<uintptr_t>(pointer)));
}

inline Napi::Object Addresses(Napi::Env env, const Index& index) {
  Napi::Object addresses = Napi::Object::New(env);
  addresses["header"] = Address(env, index.header);
  addresses["centroids"] = Address(env, index.centroids);
  addresses["starts"] = Address(env, index.starts);
  addresses["ids"] = Address(env, index.ids);
  addresses["rows"] = Address(env, index.rows);
  return addresses;
}

}  // namespace vector_index
