// Functions, properties and classes, and what a call of one asks for.

#include <vector>

#include "../holdings.h"
#include "../slots.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

// A slot whose function object is not known yet, or whose creation may still fail.
struct Made {
  size_t property;  // index of its descriptor
  Slot* slot;       // of the method, or of the getter, which owns the one of the setter
};

napi_status CreateFunction(napi_env env, const char* name, size_t length, napi_callback callback,
                           void* data, napi_value* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || callback == nullptr) return napi_invalid_arg;
  Slot* const slot = NewSlot(version->gate(), callback, data, true);
  napi_status status = napi_create_function(env, name, length, ThunkOf(slot), slot, result);
  if (status != napi_ok) {
    FreeSlot(slot);
    return Checked(env, status);
  }
  // A slot that is not tracked lives as long as its thread: it is never freed under a function.
  TrackFunction(env, *result, slot);
  return napi_ok;
}

// Replaces the callbacks of one descriptor by thunks.
Slot* Bind(Version* version, napi_property_descriptor* property, bool pooled) {
  Gate* const gate = version->gate();
  Slot* slot = nullptr;
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

std::vector<Made> BindAll(Version* version, std::vector<napi_property_descriptor>* properties,
                          bool pooled) {
  std::vector<Made> made;
  for (size_t index = 0; index < properties->size(); ++index) {
    Slot* const slot = Bind(version, &(*properties)[index], pooled);
    if (slot != nullptr) made.push_back({index, slot});
  }
  return made;
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

bool IsOfType(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type;
  return value != nullptr && napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

// node-addon-api up to NAPI_VERSION 4 has no finalizer for a function: it hides an external behind
// a symbol that nobody else has, for the data that the function's callback takes. AttachData of
// https://github.com/nodejs/node-addon-api/blob/main/napi-inl.h
void TieExternals(Version* version, napi_value object,
                  const std::vector<napi_property_descriptor>& properties) {
  const napi_env env = version->env();
  for (const auto& property : properties) {
    if (property.attributes != napi_default || !IsOfType(env, property.name, napi_symbol) ||
        !IsOfType(env, property.value, napi_external) || !IsOfType(env, object, napi_function)) {
      continue;
    }
    void* pointer = nullptr;
    if (napi_get_value_external(env, property.value, &pointer) != napi_ok) continue;
    Holding* const holding = HoldingAt(pointer);
    if (holding != nullptr && holding->version == version) TieToFunction(holding);
  }
}

napi_status DefineProperties(napi_env env, napi_value object, size_t count,
                             const napi_property_descriptor* given) {
  Version* const version = Version::Of(env);
  if (version == nullptr || (count > 0 && given == nullptr)) return napi_invalid_arg;
  std::vector<napi_property_descriptor> properties(given, given + count);
  const std::vector<Made> made = BindAll(version, &properties, true);
  const napi_status status = napi_define_properties(env, object, count, properties.data());
  // Some of them may exist when it failed half-way, so none can be freed.
  if (status != napi_ok) return Checked(env, status);
  TrackAll(env, object, nullptr, properties, made);
  TieExternals(version, object, properties);
  return napi_ok;
}

// V8 before 12 keeps the functions of a class in the context for ever. To ask for them only makes
// them exist (about 1 KB each), and no finalizer would come.
bool CollectsClasses(napi_env env) {
  static const bool collects = [env] {
    constexpr uint32_t kFirstMajor = 24;
    const napi_node_version* version = nullptr;
    return napi_get_node_version(env, &version) == napi_ok && version->major >= kFirstMajor;
  }();
  return collects;
}

// Classes have slots of the heap: Node.js 20 keeps every class for ever, and would empty the pool.
napi_status DefineClass(napi_env env, const char* name, size_t length, napi_callback constructor,
                        void* data, size_t count, const napi_property_descriptor* given,
                        napi_value* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || constructor == nullptr || (count > 0 && given == nullptr)) {
    return napi_invalid_arg;
  }
  std::vector<napi_property_descriptor> properties(given, given + count);
  const std::vector<Made> made = BindAll(version, &properties, false);
  Slot* const slot = NewSlot(version->gate(), constructor, data, false);
  slot->constructs = true;
  const napi_status status =
      napi_define_class(env, name, length, ThunkOf(slot), slot, count, properties.data(), result);
  if (status != napi_ok) return Checked(env, status);
  if (!CollectsClasses(env)) return napi_ok;
  TrackFunction(env, *result, slot);
  napi_value prototype;
  if (napi_get_named_property(env, *result, "prototype", &prototype) == napi_ok) {
    TrackAll(env, *result, prototype, properties, made);
  }
  return napi_ok;
}

napi_status FindDisplaced(napi_env env, const Slot* slot, void** data) {
  const Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  const auto& displaced = version->gate()->displaced;
  for (auto entry = displaced.rbegin(); entry != displaced.rend(); ++entry) {
    if (entry->slot != slot) continue;
    *data = entry->data;
    return napi_ok;
  }
  return napi_invalid_arg;
}

__attribute__((noinline)) napi_status GetDataToo(napi_env env, napi_callback_info info,
                                                 size_t* argc, napi_value* argv,
                                                 napi_value* this_value, void** data) {
  void* found = nullptr;
  const napi_status status = napi_get_cb_info(env, info, argc, argv, this_value, &found);
  if (status != napi_ok) return status;
  const auto* const slot = static_cast<const Slot*>(found);
  if (__builtin_expect(slot->env == env, 1)) {
    *data = slot->data;
    return napi_ok;
  }
  // The slot was re-pointed while this call ran; the code that asks is the code that was left.
  return FindDisplaced(env, slot, data);
}

napi_status GetCallbackInfo(napi_env env, napi_callback_info info, size_t* argc, napi_value* argv,
                            napi_value* this_value, void** data) {
  // A jump, which saves and restores nothing.
  if (data == nullptr) return napi_get_cb_info(env, info, argc, argv, this_value, nullptr);
  return GetDataToo(env, info, argc, argv, this_value, data);
}

}  // namespace

void AddFunctions(Table* table) {
  table->Add("napi_create_function", CreateFunction);
  table->Add("napi_define_class", DefineClass);
  table->Add("napi_define_properties", DefineProperties);
  table->Add("napi_get_cb_info", GetCallbackInfo);
}

}  // namespace napi_reload::interpose
