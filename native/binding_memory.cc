// The part of the binding that gives out memory which no version owns.
//
// Lifetimes: an env keeps the blocks that it made until they are closed or it ends; their JS
// handles only share them. An array buffer holds the mapping under it, and with its bytes that
// hold may pass to another one (ArrayBuffer.prototype.transfer). When an env ends, Node.js
// first takes all array buffers away, and then runs the cleanup hooks of versions, which may have
// to stop a thread that uses the bytes. So from then on nothing is let go of until all versions
// have ended: in a worker; on the main thread it stays for exit handlers, and goes with the
// process.

#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <variant>

#include "binding_ledger.h"
#include "binding_values.h"
#include "memory.h"
#include "posix.h"

namespace napi_reload {
namespace {

// What an env has of such memory.
struct MemoryRoom {
  // What an array buffer holds.
  struct Hold {
    MemoryRoom* room;
    std::shared_ptr<MemoryMapping> mapping;
    // What is told of its end, or null. An env that ends deletes it by itself, and tells nobody.
    napi_ref on_end;
  };

  std::unordered_set<std::shared_ptr<MemoryBlock>> blocks;
  std::unordered_set<Hold*> holds;

  ~MemoryRoom() {
    for (Hold* const hold : holds) delete hold;
  }
};

void LetGo(MemoryRoom::Hold* hold) noexcept {
  hold->room->holds.erase(hold);
  delete hold;
}

void OnBufferEnd(napi_env env, void*, void* data) noexcept {
  if (!CanRunJs(env)) return;
  auto* const hold = static_cast<MemoryRoom::Hold*>(data);
  const napi_ref on_end = hold->on_end;
  LetGo(hold);
  if (on_end == nullptr) return;
  napi_value told = nullptr;
  napi_value receiver = nullptr;
  napi_get_reference_value(env, on_end, &told);
  napi_delete_reference(env, on_end);
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, told, 0, nullptr, nullptr);
}

// Of the main thread, where it stays: a leak to nobody who looks for some.
// Volatile, or a compiler would drop what nobody reads.
MemoryRoom* volatile main_room = nullptr;

void OnEnvEnd(void* data) noexcept {
  auto* const room = static_cast<MemoryRoom*>(data);
  if (OnMainThread()) {
    main_room = room;
  } else {
    delete room;
  }
}

// Null, with an exception pending, when the argument is none that is open.
MemoryBlock* ReadBlock(const Napi::CallbackInfo& info) {
  auto* const handle = ReadHandle<std::shared_ptr<MemoryBlock>>(info, 0, kMemoryTag);
  if (handle == nullptr || !(*handle)->closed()) return handle == nullptr ? nullptr : handle->get();
  Throw(info.Env(), "the memory is closed");
  return nullptr;
}

// False, with an exception pending, when it is none.
bool ReadBytes(const Napi::CallbackInfo& info, size_t index, size_t* bytes) {
  const int64_t number = info[index].IsNumber() ? info[index].As<Napi::Number>().Int64Value() : 0;
  *bytes = static_cast<size_t>(number);
  if (number >= 1) return true;
  Throw(info.Env(), "a size must be a number from 1");
  return false;
}

// Null when it is no function.
napi_ref ReferTo(const Napi::Value& value) {
  napi_ref reference = nullptr;
  if (value.IsFunction()) napi_create_reference(value.Env(), value, 1, &reference);
  return reference;
}

// What Create or Open gave, as an object for JS. The env keeps the block.
Napi::Value ToObject(const Napi::CallbackInfo& info, MemoryBlock::Created created) {
  const auto env = info.Env();
  if (const auto* failure = std::get_if<IoFailure>(&created)) return ToObject(env, *failure);
  auto& block = std::get<std::shared_ptr<MemoryBlock>>(created);
  auto result = MakeResult(env, true, nullptr);
  result["handle"] = MakeHandle(env, block, kMemoryTag);
  static_cast<MemoryRoom*>(info.Data())->blocks.insert(std::move(block));
  return result;
}

// memoryCreate(name, byteLength, grows)
Napi::Value Create(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  size_t bytes = 0;
  if (!ReadBytes(info, 1, &bytes)) return env.Undefined();
  const bool grows = info[2].IsUndefined() || ReadFlag(info[2]);
  const auto room = grows ? MemoryBlock::Room::kToGrow : MemoryBlock::Room::kNone;
  return ToObject(info, MemoryBlock::Create(ReadText(info[0]), bytes, room));
}

// memoryOpen(path, byteLength, isPrivate)
Napi::Value Open(const Napi::CallbackInfo& info) {
  std::string path;
  size_t bytes = 0;
  if (!ReadPath(info, 0, &path) || !ReadBytes(info, 1, &bytes)) return info.Env().Undefined();
  const auto writes =
      ReadFlag(info[2]) ? MemoryBlock::Writes::kPrivate : MemoryBlock::Writes::kShared;
  return ToObject(info, MemoryBlock::Open(path, bytes, writes));
}

// memoryPath(handle)
Napi::Value PathOf(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const MemoryBlock* const block = ReadBlock(info);
  if (block == nullptr) return env.Undefined();
  const std::string path = block->Path();
  return path.empty() ? env.Null() : Napi::String::New(env, path).As<Napi::Value>();
}

// memoryWrite(handle, bytes)
Napi::Value Write(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  MemoryBlock* const block = ReadBlock(info);
  if (block == nullptr) return env.Undefined();
  napi_typedarray_type type = napi_float64_array;
  size_t bytes = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, info[1], &type, &bytes, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || bytes > block->bytes()) {
    Throw(env, "memoryWrite takes a Uint8Array of no more bytes than the memory has");
    return env.Undefined();
  }
  const auto failure = block->Write(static_cast<const uint8_t*>(data), bytes);
  return failure ? ToObject(env, *failure).As<Napi::Value>() : env.Null();
}

// memoryResize(handle, byteLength)
Napi::Value Resize(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  MemoryBlock* const block = ReadBlock(info);
  size_t bytes = 0;
  if (block == nullptr || !ReadBytes(info, 1, &bytes)) return env.Undefined();
  const auto failure = block->Resize(bytes);
  return failure ? ToObject(env, *failure).As<Napi::Value>() : env.Null();
}

// memoryBuffer(handle, byteLength, onEnd)
Napi::Value MakeBuffer(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const MemoryBlock* const block = ReadBlock(info);
  size_t bytes = 0;
  if (block == nullptr || !ReadBytes(info, 1, &bytes)) return env.Undefined();
  if (bytes > block->bytes()) {
    Throw(env, "the memory has fewer bytes");
    return env.Undefined();
  }
  auto* const room = static_cast<MemoryRoom*>(info.Data());
  MemoryRoom::Hold* hold = nullptr;
  try {
    auto made = std::make_unique<MemoryRoom::Hold>();
    room->holds.insert(made.get());
    hold = made.release();
  } catch (const std::bad_alloc&) {
    ThrowOutOfMemory(env);
    return env.Undefined();
  }
  *hold = {room, block->mapping(), ReferTo(info[2])};
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, hold->mapping->data(), bytes,
                                                              OnBufferEnd, hold, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    if (hold->on_end != nullptr) napi_delete_reference(env, hold->on_end);
    LetGo(hold);
    return env.Null();
  }
  if (status == napi_ok) return Napi::Value(env, buffer);
  // Whether Node.js still calls OnBufferEnd is not said, so the hold is left to it, or to the end
  // of the env.
  if (!env.IsExceptionPending()) Throw(env, "the array buffer cannot be made");
  return env.Undefined();
}

// memoryClose(handle)
void Close(const Napi::CallbackInfo& info) {
  auto* const handle = ReadHandle<std::shared_ptr<MemoryBlock>>(info, 0, kMemoryTag);
  if (handle == nullptr) return;
  (*handle)->Close();
  static_cast<MemoryRoom*>(info.Data())->blocks.erase(*handle);
}

// addressOf(view)
Napi::Value AddressOf(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  void* data = nullptr;
  if (napi_get_typedarray_info(env, info[0], nullptr, nullptr, &data, nullptr, nullptr) !=
      napi_ok) {
    Throw(env, "addressOf takes a typed array");
    return env.Undefined();
  }
  return Napi::BigInt::New(env, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(data)));
}

}  // namespace

void AddMemory(Napi::Env env, Napi::Object exports) {
  auto* const room = new MemoryRoom;
  if (napi_add_env_cleanup_hook(env, OnEnvEnd, room) != napi_ok) {
    delete room;
    return Throw(env, "memory cannot be set up");
  }
  exports["memoryCreate"] = Guarded<Create>(env, "memoryCreate", room);
  exports["memoryOpen"] = Guarded<Open>(env, "memoryOpen", room);
  exports["memoryPath"] = Guarded<PathOf>(env, "memoryPath");
  exports["memoryWrite"] = Guarded<Write>(env, "memoryWrite");
  exports["memoryResize"] = Guarded<Resize>(env, "memoryResize");
  exports["memoryBuffer"] = Napi::Function::New(env, MakeBuffer, "memoryBuffer", room);
  exports["memoryClose"] = Napi::Function::New(env, Close, "memoryClose", room);
  exports["addressOf"] = Napi::Function::New(env, AddressOf, "addressOf");
}

}  // namespace napi_reload
