#include "properties.h"

namespace napi_reload::interpose {
namespace {

// Replaces the callbacks of one descriptor by thunks.
Slot* Bind(Version* version, napi_property_descriptor* property, bool pooled) {
  Gate* const gate = version->gate();
  Slot* slot = nullptr;
  // Node makes an accessor of one that has a method, too.
  if (IsAccessor(*property)) property->method = nullptr;
  if (property->method != nullptr) {
    slot = NewSlot(gate, property->method, property->data, pooled);
    property->method = ThunkOf(slot);
  } else if (property->getter != nullptr) {
    slot = NewSlot(gate, property->getter, property->data, pooled);
    property->getter = ThunkOf(slot);
    if (property->setter != nullptr) {
      slot->setter = NewSlot(gate, property->setter, property->data, pooled);
      slot->setter->getter = slot;
      property->setter = SetterThunkOf(slot);
    }
  } else if (property->setter != nullptr) {
    slot = NewSlot(gate, property->setter, property->data, pooled);
    property->setter = ThunkOf(slot);
  }
  if (slot != nullptr) property->data = slot;
  return slot;
}

// Object.getOwnPropertyDescriptor, as it is now.
napi_status GetDescriptor(napi_env env, napi_value object, napi_value key, napi_value* result) {
  napi_value global, constructor, function;
  napi_status status = napi_get_global(env, &global);
  if (status == napi_ok) status = napi_get_named_property(env, global, "Object", &constructor);
  if (status == napi_ok) {
    status = napi_get_named_property(env, constructor, "getOwnPropertyDescriptor", &function);
  }
  const napi_value arguments[] = {object, key};
  if (status != napi_ok) return status;
  return napi_call_function(env, constructor, function, 2, arguments, result);
}

// Ties a slot to the function object that Node made for it: `field` of the property's descriptor.
void TrackField(napi_env env, napi_value descriptor, const char* field, Slot* slot) {
  napi_value function;
  napi_valuetype type;
  if (napi_get_named_property(env, descriptor, field, &function) != napi_ok) return;
  if (napi_typeof(env, function, &type) != napi_ok || type != napi_function) return;
  TrackFunction(env, function, slot);
}

void TrackProperty(napi_env env, napi_value object, const napi_property_descriptor& property,
                   Slot* slot) {
  napi_value key = property.name;
  if (property.utf8name != nullptr &&
      napi_create_string_utf8(env, property.utf8name, NAPI_AUTO_LENGTH, &key) != napi_ok) {
    return;
  }
  napi_value descriptor;
  if (GetDescriptor(env, object, key, &descriptor) != napi_ok) return;
  napi_valuetype type;
  if (napi_typeof(env, descriptor, &type) != napi_ok || type != napi_object) return;
  if (property.method != nullptr) {
    TrackField(env, descriptor, "value", slot);
  } else if (property.getter != nullptr) {
    TrackField(env, descriptor, "get", slot);
    if (slot->setter != nullptr) TrackField(env, descriptor, "set", slot->setter);
  } else {
    TrackField(env, descriptor, "set", slot);
  }
}

// Nothing that the ledger does for itself may leave an exception to the addon.
void ClearException(napi_env env) {
  bool pending = false;
  napi_value ignored;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    napi_get_and_clear_last_exception(env, &ignored);
  }
}

}  // namespace

std::vector<Made> BindAll(Version* version, std::vector<napi_property_descriptor>* properties,
                          bool pooled) {
  std::vector<Made> made;
  for (size_t index = 0; index < properties->size(); ++index) {
    Slot* const slot = Bind(version, &(*properties)[index], pooled);
    if (slot != nullptr) made.push_back({index, slot});
  }
  return made;
}

void TrackAll(napi_env env, napi_value object, napi_value prototype,
              const std::vector<napi_property_descriptor>& properties,
              const std::vector<Made>& made) {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  for (const Made& one : made) {
    const auto& property = properties[one.property];
    const bool on_prototype = prototype != nullptr && (property.attributes & napi_static) == 0;
    TrackProperty(env, on_prototype ? prototype : object, property, one.slot);
  }
  ClearException(env);
  napi_close_handle_scope(env, scope);
}

}  // namespace napi_reload::interpose
