// The part of the binding that moves live instances.

#include <utility>
#include <vector>

#include "binding_ledger.h"
#include "binding_values.h"
#include "instances.h"
#include "version.h"

namespace napi_reload {
namespace {

// Both versions of a move; nullptr, with an exception pending, where one has ended.
std::pair<Version*, Version*> ReadMove(const Napi::CallbackInfo& info) {
  Version* const from = VersionOf(info[0]);
  Version* const to = VersionOf(info[1]);
  if (from != nullptr && to != nullptr) return {from, to};
  Throw(info.Env(), "the version has ended");
  return {nullptr, nullptr};
}

// findInstances(handle, constructors): for each the objects that it made, or null for what is no
// class of the version.
Napi::Value FindAll(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const Version* const version = VersionOf(info[0]);
  if (version == nullptr) return env.Undefined();
  const auto found = FindInstances(env, *version, ReadArray(env, info[1]));
  auto result = Napi::Array::New(env, found.size());
  for (uint32_t index = 0; index < found.size(); ++index) {
    if (!found[index]) {
      result[index] = env.Null();
      continue;
    }
    const std::vector<napi_value>& instances = *found[index];
    auto array = Napi::Array::New(env, instances.size());
    for (uint32_t each = 0; each < instances.size(); ++each) {
      napi_set_element(env, array, each, instances[each]);
    }
    result[index] = array;
  }
  return result;
}

// beginMove(from, to)
void Begin(const Napi::CallbackInfo& info) {
  const auto [from, to] = ReadMove(info);
  if (from != nullptr) BeginMove(from, to);
}

// endMove(from, to, succeeded): { lost, thrown }, how many could not be put back, and what
// finalizers of `to` threw.
Napi::Value End(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto [from, to] = ReadMove(info);
  if (from == nullptr) return env.Undefined();
  const Ended ended = EndMove(from, to, ReadFlag(info[2]));
  auto thrown = Napi::Array::New(env, ended.thrown.size());
  for (uint32_t index = 0; index < ended.thrown.size(); ++index) {
    thrown[index] = Napi::Value(env, ended.thrown[index]);
  }
  auto result = Napi::Object::New(env);
  result["lost"] = static_cast<double>(ended.lost);
  result["thrown"] = thrown;
  return result;
}

}  // namespace

void AddInstances(Napi::Env env, Napi::Object exports) {
  exports["findInstances"] = Napi::Function::New(env, FindAll, "findInstances");
  exports["beginMove"] = Napi::Function::New(env, Begin, "beginMove");
  exports["endMove"] = Napi::Function::New(env, End, "endMove");
}

}  // namespace napi_reload
