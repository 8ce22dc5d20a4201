#include "facades.h"

#include <array>
#include <utility>

namespace napi_reload {

struct Home {
  napi_env env = nullptr;
  Gate* gate = nullptr;
  // What the slots of facades copy while they are here. It is in no list and has no function.
  Slot entrance;
};

namespace {

// More arguments take a second look at the call, and memory of the heap.
constexpr size_t kArgumentsInline = 8;

// The arguments of a call, behind one place that is free.
class Arguments {
 public:
  napi_status Read(napi_env env, napi_callback_info info, napi_value* receiver) {
    count_ = kArgumentsInline;
    void* data = nullptr;
    napi_status status = napi_get_cb_info(env, info, &count_, &few_[1], receiver, &data);
    slot_ = static_cast<const Slot*>(data);
    if (status != napi_ok || count_ <= kArgumentsInline) return status;
    many_.resize(count_ + 1);
    return napi_get_cb_info(env, info, &count_, &many_[1], nullptr, nullptr);
  }

  const Slot* slot() const { return slot_; }
  size_t count() const { return count_ + 1; }
  napi_value* data() { return many_.empty() ? few_.data() : many_.data(); }

 private:
  const Slot* slot_ = nullptr;
  size_t count_ = 0;
  std::array<napi_value, kArgumentsInline + 1> few_{};
  std::vector<napi_value> many_;
};

// A failure leaves an exception pending in the env, or the env may run no JavaScript any more.
napi_value CallEnter(napi_env env, napi_callback_info info) noexcept {
  Arguments arguments;
  napi_value receiver = nullptr;
  napi_value enter = nullptr;
  if (arguments.Read(env, info, &receiver) != napi_ok) return nullptr;
  if (napi_get_reference_value(env, arguments.slot()->enter, &enter) != napi_ok) return nullptr;
  napi_value* const new_target = arguments.data();
  if (napi_get_new_target(env, info, new_target) != napi_ok) return nullptr;
  if (*new_target == nullptr) napi_get_undefined(env, new_target);
  napi_value result = nullptr;
  napi_call_function(env, receiver, enter, arguments.count(), arguments.data(), &result);
  return result;
}

void OnEnvEnd(void* data) {
  auto* const home = static_cast<Home*>(data);
  DropGate(home->gate);
  delete home;
}

}  // namespace

Home* NewHome(napi_env env) {
  auto* const home = new Home;
  home->env = env;
  home->gate = new Gate;
  home->gate->env = env;
  home->entrance.callback = CallEnter;
  home->entrance.env = env;
  home->entrance.gate = home->gate;
  if (napi_add_env_cleanup_hook(env, OnEnvEnd, home) == napi_ok) return home;
  OnEnvEnd(home);
  return nullptr;
}

napi_status MakeFacade(Home* home, const std::string& name, napi_value enter, napi_value* result) {
  const napi_env env = home->env;
  Slot* const slot = NewSlot(home->gate, CallEnter, nullptr, true);
  slot->target = &home->entrance;
  napi_status status =
      napi_create_function(env, name.data(), name.size(), ThunkOf(slot), slot, result);
  if (status != napi_ok) {
    FreeSlot(slot);
    return status;
  }
  // From here on the slot goes with the function object, also when nobody gets that.
  status = TrackFunction(env, *result, slot);
  if (status != napi_ok) return status;
  return napi_wrap(
      env, enter, slot, [](napi_env, void*, void*) {}, nullptr, &slot->enter);
}

Slot* FacadeOf(napi_env env, napi_value enter) {
  void* data = nullptr;
  if (napi_unwrap(env, enter, &data) != napi_ok) return nullptr;
  return static_cast<Slot*>(data);
}

void SendHome(Home* home, Slot* facade) { Retarget(facade, &home->entrance); }

}  // namespace napi_reload
