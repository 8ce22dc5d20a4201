// The part of the binding that makes function objects which follow reloads.

#include <string>
#include <vector>

#include "binding_ledger.h"
#include "binding_values.h"
#include "facades.h"
#include "slot_finder.h"
#include "version.h"

namespace napi_reload {
namespace {

std::vector<Slot*> FindAll(Napi::Env env, Napi::Value handle,
                           const std::vector<napi_value>& functions) {
  const Version* const version = VersionOf(handle);
  if (version == nullptr) return std::vector<Slot*>(functions.size(), nullptr);
  return FindSlots(env, version->gate(), functions);
}

// makeFacade(name, enter)
Napi::Value Make(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const std::string name = ReadText(info[0]);
  napi_value result = nullptr;
  if (MakeFacade(static_cast<Home*>(info.Data()), name, info[1], &result) == napi_ok) {
    return Napi::Value(env, result);
  }
  Throw(env, "the facade cannot be made");
  return env.Undefined();
}

// findFunctions(handle, functions)
Napi::Value FindFunctions(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const std::vector<Slot*> slots = FindAll(env, info[0], ReadArray(env, info[1]));
  auto result = Napi::Array::New(env, slots.size());
  for (uint32_t index = 0; index < slots.size(); ++index) {
    result[index] = Napi::Boolean::New(env, slots[index] != nullptr);
  }
  return result;
}

// pointFacades(handle, enters, functions): for each facade the function that it shall enter, or
// null. It does not fail: a function that the version did not make is left to `enter`.
void PointFacades(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const std::vector<napi_value> enters = ReadArray(env, info[1]);
  const std::vector<Slot*> targets = FindAll(env, info[0], ReadArray(env, info[2]));
  for (size_t index = 0; index < enters.size(); ++index) {
    Slot* const facade = FacadeOf(env, enters[index]);
    if (facade == nullptr) continue;
    if (targets[index] != nullptr) {
      Retarget(facade, targets[index]);
    } else {
      SendHome(static_cast<Home*>(info.Data()), facade);
    }
  }
}

}  // namespace

void AddFacades(Napi::Env env, Napi::Object exports) {
  Home* const home = NewHome(env);
  if (home == nullptr) return Throw(env, "facades cannot be set up");
  exports["makeFacade"] = Napi::Function::New(env, Make, "makeFacade", home);
  exports["findFunctions"] = Napi::Function::New(env, FindFunctions, "findFunctions");
  exports["pointFacades"] = Napi::Function::New(env, PointFacades, "pointFacades", home);
}

}  // namespace napi_reload
