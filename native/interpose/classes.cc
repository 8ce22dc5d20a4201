#include "classes.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "../holdings.h"
#include "../instances.h"
#include "../object_numbers.h"
#include "properties.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

struct Call {
  napi_value self = nullptr;
  Slot* slot = nullptr;
};

Call ReadCall(napi_env env, napi_callback_info info) {
  Call call;
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, &call.self, &data);
  call.slot = static_cast<Slot*>(data);
  return call;
}

Holding* HoldingOf(napi_env env, napi_value object) {
  void* pointer = nullptr;
  return napi_unwrap(env, object, &pointer) == napi_ok ? HoldingAt(pointer) : nullptr;
}

// Of the constructor that runs: its object is an instance, whether or not it has memory by now.
void NoteConstructed(napi_env env, Gate* gate) {
  Gate::Construction& own = gate->construction;
  if (own.constructor == nullptr || std::exchange(own.is_noted, true)) return;
  bool pending = false;
  napi_value error = nullptr;
  // With what it threw, nothing could be asked or noted.
  napi_is_exception_pending(env, &pending);
  if (pending) napi_get_and_clear_last_exception(env, &error);
  NoteUnwrapped(gate, own.object, own.constructor->class_id);
  if (pending) napi_throw(env, error);
}

napi_value ConstructorThunk(napi_env env, napi_callback_info info) noexcept {
  const Call call = ReadCall(env, info);
  napi_value target = nullptr;
  napi_get_new_target(env, info, &target);
  Gate* const gate = call.slot->gate;
  EnterGate(gate);
  // Here the methods of what is being made may run, too.
  NoteConstructed(env, gate);
  Gate::Construction own;
  if (target == nullptr && gate->takes_from != nullptr) {
    own.predecessor = TakeOver(gate->takes_from, call.self);
    own.call = info;
  }
  // Without `new`, the receiver is whatever the caller likes.
  if (target != nullptr || own.predecessor != nullptr) {
    own.constructor = call.slot;
    own.object = call.self;
  }
  const Gate::Construction outer = std::exchange(gate->construction, own);
  const napi_value result = call.slot->callback(call.slot->env, info);
  if (gate->owned) NoteConstructed(env, gate);
  gate->construction = outer;
  LeaveGate(gate);
  return result;
}

// A constructor that takes an object over was not called by `new`, but has to believe it.
napi_status GetNewTarget(napi_env env, napi_callback_info info, napi_value* result) {
  const Version* const version = Version::Of(env);
  const Gate::Construction* const own =
      version != nullptr ? &version->gate()->construction : nullptr;
  if (own == nullptr || own->predecessor == nullptr || own->call != info || result == nullptr) {
    return Checked(env, napi_get_new_target(env, info, result));
  }
  return Checked(env, napi_get_reference_value(env, own->constructor->function, result));
}

// The object that is taken over has its tag already, and keeps it. Another tag is refused, as ever.
napi_status TypeTagObject(napi_env env, napi_value object, const napi_type_tag* tag) {
  const napi_status status = napi_type_tag_object(env, object, tag);
  const Version* const version = Version::Of(env);
  if (status != napi_invalid_arg || version == nullptr) return Checked(env, status);
  const Gate::Construction& own = version->gate()->construction;
  bool is_own = false;
  bool is_same = false;
  if (own.predecessor != nullptr &&
      napi_strict_equals(env, object, own.object, &is_own) == napi_ok && is_own &&
      napi_check_object_type_tag(env, object, tag, &is_same) == napi_ok && is_same) {
    return napi_ok;
  }
  return Checked(env, status);
}

bool IsInstance(napi_env env, const Slot* slot, napi_value self) {
  const Gate* const gate = slot->gate;
  bool is_constructed = false;
  const Gate::Construction& own = gate->construction;
  if (own.constructor != nullptr && own.constructor->class_id == slot->class_id &&
      napi_strict_equals(env, self, own.object, &is_constructed) == napi_ok && is_constructed) {
    return true;
  }
  int64_t class_id = 0;
  return gate->unwrapped != nullptr && gate->unwrapped->Get(self, &class_id) &&
         static_cast<uint64_t>(class_id) == slot->class_id;
}

napi_value RefuseReceiver(napi_env env, Gate* gate) {
  gate->attention |= Gate::kException;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) {
    napi_throw_type_error(env, nullptr, "Illegal invocation");
  }
  return nullptr;
}

napi_value EnterMember(napi_env env, napi_callback_info info, napi_value self, const Slot* slot) {
  Gate* const gate = slot->gate;
  // It throws.
  if (!gate->owned || gate->revoked) return slot->callback(slot->env, info);
  Holding* holding = HoldingOf(env, self);
  const uint64_t made_by = holding != nullptr ? holding->class_id : 0;
  if (__builtin_expect(made_by != slot->class_id, 0)) {
    // A method called by `new` gets an object of its own.
    napi_value target = nullptr;
    napi_get_new_target(env, info, &target);
    const bool is_allowed = target != nullptr || (made_by == 0 && IsInstance(env, slot, self));
    if (!is_allowed) return RefuseReceiver(env, gate);
    holding = nullptr;
  }
  EnterGate(gate);
  const size_t removed = gate->wraps_removed;
  const Gate::Receiver outer = gate->receiver;
  gate->receiver = holding != nullptr ? Gate::Receiver{self, holding} : Gate::Receiver{};
  const napi_value result = slot->callback(slot->env, info);
  gate->receiver = gate->wraps_removed == removed ? outer : Gate::Receiver{};
  LeaveGate(gate);
  return result;
}

napi_value MemberThunk(napi_env env, napi_callback_info info) noexcept {
  const Call call = ReadCall(env, info);
  return EnterMember(env, info, call.self, call.slot);
}

uint64_t NextClassId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

Slot* NewMember(Gate* gate, uint64_t class_id, napi_callback callback, void* data) {
  Slot* const slot = NewSlot(gate, callback, data, false);
  slot->class_id = class_id;
  slot->of_class = true;
  return slot;
}

napi_status MakeFunction(napi_env env, const char* name, size_t length, napi_callback thunk,
                         Slot* slot, napi_value* result) {
  const napi_status status = napi_create_function(env, name, length, thunk, slot, result);
  if (status != napi_ok) {
    FreeSlot(slot);
    return status;
  }
  TrackFunction(env, *result, slot);
  return napi_ok;
}

// The name that V8 gives to the function of a method: none when its key is a symbol.
std::string MethodName(napi_env env, const napi_property_descriptor& property) {
  if (property.utf8name != nullptr) return property.utf8name;
  size_t length = 0;
  if (napi_get_value_string_utf8(env, property.name, nullptr, 0, &length) != napi_ok) return "";
  std::string name(length, '\0');
  napi_get_value_string_utf8(env, property.name, name.data(), length + 1, &length);
  return name;
}

// Makes the property of a method one of a value: a function that has its name.
napi_status BindMethod(napi_env env, Gate* gate, uint64_t class_id,
                       napi_property_descriptor* property) {
  const std::string name = MethodName(env, *property);
  Slot* const slot = NewMember(gate, class_id, property->method, property->data);
  property->method = nullptr;
  return MakeFunction(env, name.data(), name.size(), MemberThunk, slot, &property->value);
}

using Properties = std::vector<napi_property_descriptor>;

// Node gives accessors and static members no look at the receiver either.
napi_status DefineOthers(napi_env env, Version* version, napi_value object,
                         Properties* properties) {
  const std::vector<Made> made = BindAll(version, properties, false);
  const napi_status status =
      napi_define_properties(env, object, properties->size(), properties->data());
  if (status == napi_ok) TrackAll(env, object, nullptr, *properties, made);
  return status;
}

napi_status DefineMembers(napi_env env, Version* version, uint64_t class_id, napi_value constructor,
                          Properties* members) {
  napi_value prototype = nullptr;
  napi_status status = napi_get_named_property(env, constructor, "prototype", &prototype);
  for (napi_property_descriptor& member : *members) {
    if (status != napi_ok) return status;
    const bool is_method = member.method != nullptr && !IsAccessor(member);
    if (is_method) status = BindMethod(env, version->gate(), class_id, &member);
  }
  return status == napi_ok ? DefineOthers(env, version, prototype, members) : status;
}

}  // namespace

napi_status DefinePlainClass(napi_env env, const char* name, size_t length,
                             napi_callback constructor, void* data, size_t count,
                             const napi_property_descriptor* properties, napi_value* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr || result == nullptr || (name == nullptr && length > 0)) {
    return napi_invalid_arg;
  }
  napi_escapable_handle_scope scope;
  napi_status status = napi_open_escapable_handle_scope(env, &scope);
  if (status != napi_ok) return status;
  Properties members;
  Properties statics;
  for (size_t index = 0; index < count; ++index) {
    const bool is_static = (properties[index].attributes & napi_static) != 0;
    (is_static ? statics : members).push_back(properties[index]);
  }
  const uint64_t class_id = NextClassId();
  Slot* const slot = NewMember(version->gate(), class_id, constructor, data);
  slot->constructs = true;
  napi_value function = nullptr;
  status = MakeFunction(env, name, length, ConstructorThunk, slot, &function);
  if (status == napi_ok) {
    status = DefineMembers(env, version, class_id, function, &members);
  }
  if (status == napi_ok) status = DefineOthers(env, version, function, &statics);
  if (status == napi_ok) status = napi_escape_handle(env, scope, function, result);
  napi_close_escapable_handle_scope(env, scope);
  return status;
}

void NoteUnwrapped(Gate* gate, napi_value object, uint64_t class_id) {
  if (gate->unwrapped == nullptr) {
    gate->unwrapped = new ObjectNumbers(gate->env, ObjectNumbers::Holds::kNothing);
  }
  gate->unwrapped->Set(object, static_cast<int64_t>(class_id));
}

void NoteWrapped(napi_env env, Gate* gate, napi_value object, Holding* holding) {
  Gate::Construction& own = gate->construction;
  bool is_constructed = own.constructor != nullptr && object == own.object;
  if (own.constructor != nullptr && !is_constructed) {
    napi_strict_equals(env, object, own.object, &is_constructed);
  }
  int64_t class_id = 0;
  if (!is_constructed) {
    if (gate->unwrapped != nullptr && gate->unwrapped->Get(object, &class_id)) {
      holding->class_id = static_cast<uint64_t>(class_id);
    }
    return;
  }
  own.is_noted = true;
  holding->class_id = own.constructor->class_id;
  Holding* const older = own.predecessor;
  // It may have wrapped the object before, and have taken that off again.
  if (older == nullptr || older->newer != nullptr) return;
  holding->older = older;
  older->newer = holding;
}

void AddClasses(Table* table) {
  table->Add("napi_get_new_target", GetNewTarget);
  table->Add("napi_type_tag_object", TypeTagObject);
}

}  // namespace napi_reload::interpose
