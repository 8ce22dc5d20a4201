// Property descriptors of an addon: their callbacks replaced by thunks, and the slots of these tied
// to the function objects that Node makes for them.

#ifndef NAPI_RELOAD_INTERPOSE_PROPERTIES_H_
#define NAPI_RELOAD_INTERPOSE_PROPERTIES_H_

#include <node_api.h>

#include <vector>

#include "../slots.h"
#include "../version.h"

namespace napi_reload::interpose {

// A slot whose function object is not known yet, or whose creation may still fail.
struct Made {
  size_t property;  // index of its descriptor
  Slot* slot;       // of the method, or of the getter, which owns the one of the setter
};

inline bool IsAccessor(const napi_property_descriptor& property) {
  return property.getter != nullptr || property.setter != nullptr;
}

// Replaces the callbacks by thunks.
std::vector<Made> BindAll(Version* version, std::vector<napi_property_descriptor>* properties,
                          bool pooled);

// Once they are defined: on `prototype`, and the static ones on `object`; all on `object` when
// `prototype` is null. Leaves no exception behind.
void TrackAll(napi_env env, napi_value object, napi_value prototype,
              const std::vector<napi_property_descriptor>& properties,
              const std::vector<Made>& made);

}  // namespace napi_reload::interpose

#endif  // NAPI_RELOAD_INTERPOSE_PROPERTIES_H_
