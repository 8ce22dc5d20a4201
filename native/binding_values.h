// What the files of the binding share: arguments read from JavaScript, results made for it.
//
// Threads: the JS thread of the env. Failure: a wrong argument leaves an exception pending and
// gives false or null; nothing else throws.

#ifndef NAPI_RELOAD_BINDING_VALUES_H_
#define NAPI_RELOAD_BINDING_VALUES_H_

#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "facts.h"
#include "napi.h"
#include "posix.h"
#include "pristine.h"
#include "rebind_addon.h"
#include "source_file.h"
#include "stage.h"

namespace napi_reload {

// Objects that a handle of one kind is never taken for one of another. The numbers are random.
inline constexpr napi_type_tag kStageTag = {0x8f1c62e9d04b4a37, 0xb5a7e3120c96f8d1};
inline constexpr napi_type_tag kProbeTag = {0x27d9b4f0163e4c85, 0x9e02c7a85d31f64b};
inline constexpr napi_type_tag kOriginTag = {0xc4f2709ab61e5d83, 0x3a917be6d2058c4f};
inline constexpr napi_type_tag kVersionTag = {0x51e3a0c7b8264f19, 0x8cd47be90f5a1326};
inline constexpr napi_type_tag kRoundTag = {0x6e1f7b3ac9d2450e, 0xa83d50c7f21b94e6};
inline constexpr napi_type_tag kMemoryTag = {0xc2740d9e61b35af8, 0x7d19e8540fb6c23a};

inline void Throw(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
}

// Whether results can be handed out. An environment that ends waits for its work in progress, and
// lets it complete when JS can't run any more; node-addon-api ends the process at the first call
// that fails then.
inline bool CanRunJs(napi_env env) {
  napi_value object = nullptr;
  return napi_create_object(env, &object) == napi_ok &&
         napi_set_named_property(env, object, "self", object) == napi_ok;
}

// --- Arguments. ReadPath and ReadHandle give false or null, with an exception pending, when the
// argument is wrong.

inline bool ReadPath(const Napi::CallbackInfo& info, size_t index, std::string* path) {
  if (!info[index].IsString()) {
    Throw(info.Env(), "a path must be a string");
    return false;
  }
  *path = info[index].As<Napi::String>().Utf8Value();
  if (!path->empty() && path->find('\0') == std::string::npos) return true;
  Throw(info.Env(), "a path must not be empty or hold a NUL character");
  return false;
}

// The others give what is empty when the argument, or the property, is not of the type. In a worker
// that is being terminated every read of a property fails, and a value that was not read must not
// be asked for anything: it has no env.

inline bool ReadFlag(Napi::Value value) {
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

inline std::string ReadText(Napi::Value value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

inline std::vector<std::string> ReadTexts(Napi::Value value) {
  std::vector<std::string> texts;
  if (!value.IsArray()) return texts;
  const auto array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  for (uint32_t index = 0; index < length; ++index) texts.push_back(ReadText(array.Get(index)));
  return texts;
}

inline std::vector<napi_value> ReadArray(napi_env env, napi_value array) {
  uint32_t length = 0;
  napi_get_array_length(env, array, &length);
  std::vector<napi_value> values(length);
  for (uint32_t index = 0; index < length; ++index) {
    napi_get_element(env, array, index, &values[index]);
  }
  return values;
}

template <typename T>
T* ReadHandle(const Napi::CallbackInfo& info, size_t index, const napi_type_tag& tag) {
  if (info[index].IsObject() && info[index].As<Napi::Object>().CheckTypeTag(&tag)) {
    void* data = nullptr;
    if (napi_unwrap(info.Env(), info[index], &data) == napi_ok) return static_cast<T*>(data);
  }
  Throw(info.Env(), "the handle is not one that this function takes");
  return nullptr;
}

// { path, hash, libraries, origin }
inline std::optional<Kept> ReadKept(Napi::Value value) {
  if (!value.IsObject()) return std::nullopt;
  const auto given = value.As<Napi::Object>();
  Kept kept;
  kept.path = ReadText(given.Get("path"));
  kept.hash = ReadText(given.Get("hash"));
  kept.libraries = ReadTexts(given.Get("libraries"));
  const auto origin = given.Get("origin");
  if (!origin.IsObject() || !origin.As<Napi::Object>().CheckTypeTag(&kOriginTag)) return kept;
  void* data = nullptr;
  if (napi_unwrap(value.Env(), origin, &data) == napi_ok) {
    kept.origin = *static_cast<std::shared_ptr<const Origin>*>(data);
  }
  return kept;
}

// --- Out of memory.

// Made by C alone, which takes no memory of ours: there may be none for this, either.
inline napi_value OutOfMemory(napi_env env) {
  napi_value result = nullptr;
  if (napi_create_object(env, &result) != napi_ok) return nullptr;
  napi_value ok = nullptr;
  napi_get_boolean(env, false, &ok);
  napi_set_named_property(env, result, "ok", ok);
  static constexpr const char* kTexts[][2] = {{"kind", "io"},
                                              {"operation", "malloc"},
                                              {"path", "memory"},
                                              {"errno", "ENOMEM"},
                                              {"message", "Cannot allocate memory"}};
  for (const auto& text : kTexts) {
    napi_value value = nullptr;
    napi_create_string_utf8(env, text[1], NAPI_AUTO_LENGTH, &value);
    napi_set_named_property(env, result, text[0], value);
  }
  return result;
}

inline void ThrowOutOfMemory(napi_env env) {
  napi_throw_error(env, "ENOMEM", "Cannot allocate memory");
}

// A function of the interface that answers with a failed call when there is no memory left. It must
// leave nothing behind then, so it is for those alone that own all they make until they return.
// Not through node-addon-api: it takes memory for the arguments itself, where there are many.
template <Napi::Value (*kFunction)(const Napi::CallbackInfo&)>
napi_value CallGuarded(napi_env env, napi_callback_info info) noexcept {
  try {
    return kFunction(Napi::CallbackInfo(env, info));
  } catch (const std::bad_alloc&) {
    return OutOfMemory(env);
  }
}

template <Napi::Value (*kFunction)(const Napi::CallbackInfo&)>
Napi::Value Guarded(Napi::Env env, const char* name, void* data = nullptr) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, CallGuarded<kFunction>, data, &function);
  return Napi::Value(env, function);
}

// --- Results.

// An opaque object that owns `value` until it is collected.
template <typename T>
Napi::Object MakeHandle(Napi::Env env, T value, const napi_type_tag& tag) {
  auto handle = Napi::Object::New(env);
  handle.TypeTag(&tag);
  auto owned = std::make_unique<T>(std::move(value));
  const auto finalize = [](napi_env, void* data, void*) noexcept { delete static_cast<T*>(data); };
  if (napi_wrap(env, handle, owned.get(), finalize, nullptr, nullptr) == napi_ok) owned.release();
  return handle;
}

inline Napi::Object MakeResult(Napi::Env env, bool ok, const char* kind) {
  auto result = Napi::Object::New(env);
  result["ok"] = Napi::Boolean::New(env, ok);
  if (kind != nullptr) result["kind"] = kind;
  return result;
}

inline Napi::Array ToArray(Napi::Env env, const std::vector<std::string>& texts) {
  auto array = Napi::Array::New(env, texts.size());
  for (uint32_t index = 0; index < texts.size(); ++index) array[index] = texts[index];
  return array;
}

inline Napi::Value OrNull(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::String::New(env, *text).As<Napi::Value>() : env.Null();
}

inline Napi::Object ToObject(Napi::Env env, const IoFailure& failure) {
  auto result = MakeResult(env, false, "io");
  result["operation"] = failure.operation;
  result["path"] = failure.path;
  result["errno"] = ErrnoName(failure.error);
  result["message"] = std::strerror(failure.error);
  return result;
}

inline Napi::Object ToObject(Napi::Env env, const Incomplete& incomplete) {
  auto result = MakeResult(env, false, "incomplete");
  result["path"] = incomplete.path;
  result["found"] = incomplete.found;
  result["bytes"] = static_cast<double>(incomplete.bytes);
  result["mtimeMs"] = incomplete.mtime_ms;
  return result;
}

inline Napi::Object ToObject(Napi::Env env, const Foreign& foreign) {
  auto result = MakeResult(env, false, "foreign");
  result["path"] = foreign.path;
  result["found"] = foreign.found;
  return result;
}

inline Napi::Object ToObject(Napi::Env env, const Rebound& rebound) {
  auto result = MakeResult(env, true, "rebound");
  result["libraries"] = ToArray(env, rebound.libraries);
  result["uniqueHealed"] = static_cast<double>(rebound.unique_healed);
  result["usesUv"] = rebound.uses_uv;
  result["usesUvRequests"] = rebound.uses_uv_requests;
  result["origin"] = MakeHandle(env, rebound.origin, kOriginTag);
  return result;
}

inline Napi::Object ToObject(Napi::Env env, const Refused& refused) {
  auto result = MakeResult(env, false, "refused");
  result["reason"] = refused.reason;
  return result;
}

inline Napi::Object ToObject(Napi::Env env, const NotElf& not_elf) {
  auto result = MakeResult(env, false, not_elf.malformed ? "malformed" : "foreign");
  result["found"] = not_elf.found;
  return result;
}

inline Napi::Object ToObject(Napi::Env env, const ImageFacts& facts) {
  static constexpr const char* kEntries[] = {"constructor", "v8", "symbol", "none"};
  auto result = MakeResult(env, true, nullptr);
  result["arch"] = facts.arch;
  result["sharedObject"] = facts.shared_object;
  result["entry"] = kEntries[static_cast<size_t>(facts.entry)];
  result["hasApiVersion"] = facts.has_api_version;
  result["uniqueSymbols"] = static_cast<double>(facts.unique_symbols);
  result["noDelete"] = facts.no_delete;
  result["tlsBytes"] = static_cast<double>(facts.tls_bytes);
  result["staticTls"] = facts.static_tls;
  result["needed"] = ToArray(env, facts.needed);
  result["soname"] = OrNull(env, facts.soname);
  result["runpath"] = OrNull(env, facts.runpath);
  result["mappings"] = static_cast<double>(facts.mappings);
  return result;
}

}  // namespace napi_reload

#endif  // NAPI_RELOAD_BINDING_VALUES_H_
