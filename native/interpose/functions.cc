// Functions, properties and classes, and what a call of one asks for.

#include <vector>

#include "../holdings.h"
#include "../slots.h"
#include "classes.h"
#include "properties.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

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

bool IsOfType(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type;
  return value != nullptr && napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

// Whoever gives a symbol a name means it to be used.
bool HasName(napi_env env, napi_value symbol) {
  napi_value description = nullptr;
  return napi_get_named_property(env, symbol, "description", &description) != napi_ok ||
         !IsOfType(env, description, napi_undefined);
}

// node-addon-api up to NAPI_VERSION 4 has no finalizer for a function: it hides an external behind
// a nameless symbol that nobody else has, for the data that the function's callback takes.
// AttachData of https://github.com/nodejs/node-addon-api/blob/main/napi-inl.h
void TieExternals(Version* version, napi_value object,
                  const std::vector<napi_property_descriptor>& properties) {
  const napi_env env = version->env();
  for (const auto& property : properties) {
    if (property.attributes != napi_default || !IsOfType(env, property.name, napi_symbol) ||
        !IsOfType(env, property.value, napi_external) || !IsOfType(env, object, napi_function) ||
        HasName(env, property.name)) {
      continue;
    }
    void* pointer = nullptr;
    if (napi_get_value_external(env, property.value, &pointer) != napi_ok) continue;
    Holding* const holding = FindExternal(env, version, property.value, pointer);
    if (holding != nullptr) TieToFunction(holding);
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

napi_status DefineClass(napi_env env, const char* name, size_t length, napi_callback constructor,
                        void* data, size_t count, const napi_property_descriptor* given,
                        napi_value* result) {
  if (constructor == nullptr || (count > 0 && given == nullptr)) return napi_invalid_arg;
  return Checked(env, DefinePlainClass(env, name, length, constructor, data, count, given, result));
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
