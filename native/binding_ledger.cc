// Lifetimes: a handle of a version points at the Version that the ledger owns, until retire() or
// the end of the env has deleted it; then it is empty and every function of it says so.
//
// A pin may go on any thread and inside of garbage collection. The listener of a version therefore
// only posts the version's key to the event loop, through one thread-safe function for each env. It
// is made when the shim is loaded, before any Version: Node ends things in reverse, so that it
// outlives them all.

#include "binding_ledger.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "binding_values.h"
#include "holdings.h"
#include "image.h"
#include "interpose/table.h"
#include "load.h"
#include "rebind_copy.h"
#include "retire.h"
#include "slots.h"
#include "thread_barrier.h"
#include "version.h"

namespace napi_reload {
namespace {

// What an env has for its versions. Deleted with its thread-safe function.
struct Notifier {
  struct Listener {
    Napi::FunctionReference notify;
    // One message stands for all that come before it is delivered: a collection frees thousands.
    std::shared_ptr<std::atomic<bool>> posted = std::make_shared<std::atomic<bool>>(false);
  };

  StationPtr station;
  napi_threadsafe_function post = nullptr;
  std::map<uint64_t, Listener> listeners;
  uint64_t next_key = 1;
};

struct VersionHandle {
  VersionHandle(Image* image, VersionName name, Notifier* notifier, uint64_t key)
      : image(image), name(std::move(name)), notifier(notifier), key(key) {}
  VersionHandle(VersionHandle&& other) noexcept
      : image(std::exchange(other.image, nullptr)),
        name(std::move(other.name)),
        seat(std::move(other.seat)),
        notifier(other.notifier),
        key(other.key) {}
  VersionHandle& operator=(VersionHandle&&) = delete;
  ~VersionHandle() {
    // A worker was terminated before its version was minted.
    if (image == nullptr) return;
    image->Leave(true);
    image->Release();
  }

  Image* image = nullptr;      // until it is minted
  Version* version = nullptr;  // from then on, until it has ended
  VersionName name;
  std::unique_ptr<Seat> seat;  // of a shared image, until it begins to retire
  Notifier* notifier = nullptr;
  uint64_t key = 0;
};

VersionHandle* ReadVersion(const Napi::CallbackInfo& info, size_t index) {
  auto* handle = ReadHandle<VersionHandle>(info, index, kVersionTag);
  if (handle == nullptr || handle->version != nullptr) return handle;
  Throw(info.Env(), "the version has ended");
  return nullptr;
}

// hashFile(path): SHA-256 in hexadecimal, or a failed call.
Napi::Value HashOfFile(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::string path;
  if (!ReadPath(info, 0, &path)) return env.Undefined();
  const auto result = HashFile(path);
  if (const auto* failure = std::get_if<IoFailure>(&result)) return ToObject(env, *failure);
  return Napi::String::New(env, std::get<std::string>(result));
}

ImageOptions ReadImageOptions(Napi::Env env, Napi::Object given) {
  ImageOptions options;
  options.staged = ReadText(given.Get("path"));
  options.libraries = ReadTexts(given.Get("libraries"));
  options.uses_uv = ReadFlag(given.Get("usesUv"));
  options.uses_uv_requests = ReadFlag(given.Get("usesUvRequests"));
  napi_get_version(env, &options.api_version_max);
  const auto share = given.Get("share");
  if (!share.IsObject()) return options;
  const auto asked = share.As<Napi::Object>();
  const std::string source = ReadText(given.Get("source"));
  char real[PATH_MAX];
  options.share_key = ReadText(asked.Get("fingerprint")) + " " +
                      (realpath(source.c_str(), real) != nullptr ? real : source);
  options.fresh = ReadFlag(asked.Get("fresh"));
  const auto round = RoundOf(asked.Get("round"));
  if (round != nullptr) options.round = round->id();
  options.follows = ReadFlag(asked.Get("follows"));
  return options;
}

// Not so in a worker that is being terminated.
bool IsWhole(const ImageOptions& options) {
  const auto is_empty = [](const std::string& path) { return path.empty(); };
  const auto& libraries = options.libraries;
  return !options.staged.empty() && std::none_of(libraries.begin(), libraries.end(), is_empty);
}

// rebind(copy, source, libraryHashes, kept)
Napi::Value RebindStaged(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::string copy;
  std::string source;
  if (!ReadPath(info, 0, &copy) || !ReadPath(info, 1, &source)) return env.Undefined();
  std::optional<std::vector<std::string>> hashes;
  if (info[2].IsArray()) hashes = ReadTexts(info[2]);
  const auto result = RebindCopy(copy, source, hashes, ReadKept(info[3]));
  return std::visit([&](const auto& value) -> Napi::Value { return ToObject(env, value); }, result);
}

// imageOpen({ id, source, path, libraries, usesUv, usesUvRequests, share })
Napi::Value ImageOpen(const Napi::CallbackInfo& info) {
  static constexpr const char* kFailures[] = {"", "load", "no-entry", "api-version", "io", "busy"};
  const auto env = info.Env();
  if (!info[0].IsObject()) return env.Undefined();
  const auto given = info[0].As<Napi::Object>();
  auto* const notifier = static_cast<Notifier*>(info.Data());
  const ImageOptions options = ReadImageOptions(env, given);
  if (!IsWhole(options)) return env.Undefined();
  std::unique_ptr<Seat> seat;
  // First: a round that looks between the two would not wait for this handle.
  if (!options.share_key.empty()) {
    seat = std::make_unique<Seat>(notifier->station, options.share_key);
  }
  VersionName name{ReadText(given.Get("source"))};
  const auto id = given.Get("id");
  if (id.IsNumber()) name.id = static_cast<uint64_t>(id.As<Napi::Number>().Int64Value());
  OpenResult opened = Image::Open(options);
  if (opened.stage) return ToObject(env, *opened.stage);
  if (opened.image == nullptr) {
    auto result = MakeResult(env, false, kFailures[static_cast<size_t>(opened.failure)]);
    result["message"] = opened.message;
    return result;
  }
  // It owns the image from here on.
  VersionHandle handle(opened.image, std::move(name), notifier, notifier->next_key++);
  auto result = MakeResult(env, true, nullptr);
  result["path"] = opened.image->options().staged;
  result["joined"] = opened.joined;
  if (seat != nullptr) seat->Take(opened.image->id());
  handle.seat = std::move(seat);
  result["handle"] = MakeHandle(env, std::move(handle), kVersionTag);
  return result;
}

void MintBegin(const Napi::CallbackInfo& info) {
  const auto* handle = ReadHandle<VersionHandle>(info, 0, kVersionTag);
  if (handle == nullptr) return;
  if (handle->image == nullptr) return Throw(info.Env(), "the image is minted already");
  try {
    BeginMint(handle->image, handle->name);
  } catch (const std::bad_alloc&) {
    ThrowOutOfMemory(info.Env());  // MintEnd lets go of the image
  }
}

// Whether process.dlopen() made an env for it. The image is gone when it did not.
Napi::Value MintEnd(const Napi::CallbackInfo& info) {
  auto* handle = ReadHandle<VersionHandle>(info, 0, kVersionTag);
  if (handle == nullptr) return info.Env().Undefined();
  handle->image = nullptr;
  handle->version = EndMint();
  return Napi::Boolean::New(info.Env(), handle->version != nullptr);
}

// init(handle, exports): what the addon's init returned; throws what it threw.
Napi::Value RunInit(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto* handle = ReadVersion(info, 0);
  if (handle == nullptr) return env.Undefined();
  napi_value result = nullptr;
  const napi_status status = Init(env, handle->version, info[1], &result);
  if (status == napi_ok && result != nullptr) return Napi::Value(env, result);
  return env.Undefined();
}

Napi::Array ToArray(Napi::Env env, const std::vector<Pin>& pins) {
  auto array = Napi::Array::New(env, pins.size());
  for (uint32_t index = 0; index < pins.size(); ++index) {
    auto pin = Napi::Object::New(env);
    pin["kind"] = PinName(pins[index].kind);
    pin["count"] = static_cast<double>(pins[index].count);
    pin["bytes"] = static_cast<double>(pins[index].bytes);
    array[index] = pin;
  }
  return array;
}

Napi::Value Pins(const Napi::CallbackInfo& info) {
  const auto* handle = ReadVersion(info, 0);
  if (handle == nullptr) return info.Env().Undefined();
  return ToArray(info.Env(), handle->version->Pins());
}

// sharedWith(handle): how many others hold the image of this version.
Napi::Value SharedWith(const Napi::CallbackInfo& info) {
  const auto* handle = ReadVersion(info, 0);
  if (handle == nullptr) return info.Env().Undefined();
  const size_t holders = handle->version->image()->holders();
  return Napi::Number::New(info.Env(), static_cast<double>(holders - 1));
}

// serve(handle): it serves, and comes along when its image is replaced.
void ServeVersion(const Napi::CallbackInfo& info) {
  const auto* handle = ReadVersion(info, 0);
  if (handle != nullptr && handle->seat != nullptr) handle->seat->Serve();
}

// isMapped(path): whether the copy at this path is in the process.
Napi::Value IsMapped(const Napi::CallbackInfo& info) {
  std::string path;
  if (!ReadPath(info, 0, &path)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), Image::IsMapped(path));
}

// retire(handle, releaseObjects)
Napi::Value RetireVersion(const Napi::CallbackInfo& info) {
  static constexpr const char* kOutcomes[] = {"unloaded", "shared", "still-mapped", "pinned"};
  const auto env = info.Env();
  auto* handle = ReadVersion(info, 0);
  if (handle == nullptr) return env.Undefined();
  handle->seat.reset();
  RetireOptions options;
  options.release_objects = ReadFlag(info[1]);
  const RetireResult retired = Retire(handle->version, options);
  if (retired.outcome != RetireOutcome::kPinned) {
    handle->version = nullptr;
    handle->notifier->listeners.erase(handle->key);
  }
  auto result = Napi::Object::New(env);
  result["outcome"] = kOutcomes[static_cast<size_t>(retired.outcome)];
  result["pins"] = ToArray(env, retired.pins);
  result["others"] = static_cast<double>(retired.others);
  return result;
}

// Runs on the event loop; `env` is null when it has ended.
void Notify(napi_env env, napi_value, void* context, void* data) {
  if (env == nullptr) return;
  const auto& listeners = static_cast<Notifier*>(context)->listeners;
  const auto found = listeners.find(reinterpret_cast<uintptr_t>(data));
  if (found == listeners.end()) return;
  found->second.posted->store(false);
  // A copy of the value: the call may take the listener away.
  const Napi::Function listener = found->second.notify.Value();
  napi_value receiver;
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, listener, 0, nullptr, nullptr);
}

Notifier* NewNotifier(Napi::Env env, StationPtr station) {
  auto* const notifier = new Notifier;
  notifier->station = std::move(station);
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<Notifier*>(hint); };
  const auto name = Napi::String::New(env, "napi-reload:pin");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, finalize,
                                      notifier, Notify, &notifier->post) != napi_ok) {
    delete notifier;
    return nullptr;
  }
  // A version that waits for its pins must not keep the process alive.
  napi_unref_threadsafe_function(env, notifier->post);
  return notifier;
}

// onRelease(handle, notify): calls `notify` from the event loop whenever a pin may have gone, until
// the version has ended. The last one given counts.
void OnRelease(const Napi::CallbackInfo& info) {
  const auto* handle = ReadVersion(info, 0);
  if (handle == nullptr) return;
  Notifier* const notifier = handle->notifier;
  Notifier::Listener& listener = notifier->listeners[handle->key];
  listener.notify = Napi::Persistent(info[1].As<Napi::Function>());
  handle->version->SetReleaseListener(
      [post = notifier->post, key = handle->key, posted = listener.posted] {
        if (posted->exchange(true)) return;
        void* const data = reinterpret_cast<void*>(static_cast<uintptr_t>(key));
        napi_call_threadsafe_function(post, data, napi_tsfn_nonblocking);
      });
}

// For tests: what the ledger holds in this process.
Napi::Value LedgerUse(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  const SlotUse slots = CountSlots();
  result["holdings"] = static_cast<double>(CountHoldings());
  result["images"] = static_cast<double>(Image::Count());
  result["pooledSlots"] = static_cast<double>(slots.pooled);
  result["heapSlots"] = static_cast<double>(slots.heap);
  auto names = Napi::Array::New(info.Env());
  for (const auto& redirect : interpose::Redirects()) {
    names[names.Length()] = std::string(redirect.name);
  }
  result["redirects"] = names;
  return result;
}

}  // namespace

Version* VersionOf(Napi::Value handle) {
  if (!handle.IsObject() || !handle.As<Napi::Object>().CheckTypeTag(&kVersionTag)) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(handle.Env(), handle, &data) != napi_ok) return nullptr;
  return static_cast<VersionHandle*>(data)->version;
}

void AddLedger(Napi::Env env, Napi::Object exports, Napi::Object internals, StationPtr station) {
  Notifier* const notifier = NewNotifier(env, std::move(station));
  if (notifier == nullptr) return Throw(env, "the ledger cannot be set up");
  exports["shimPath"] = ShimPath();
  exports["rebind"] = Guarded<RebindStaged>(env, "rebind");
  exports["hashFile"] = Guarded<HashOfFile>(env, "hashFile");
  exports["imageOpen"] = Guarded<ImageOpen>(env, "imageOpen", notifier);
  exports["mintBegin"] = Napi::Function::New(env, MintBegin, "mintBegin");
  exports["mintEnd"] = Napi::Function::New(env, MintEnd, "mintEnd");
  exports["init"] = Napi::Function::New(env, RunInit, "init");
  exports["pins"] = Napi::Function::New(env, Pins, "pins");
  exports["retire"] = Napi::Function::New(env, RetireVersion, "retire");
  exports["sharedWith"] = Napi::Function::New(env, SharedWith, "sharedWith");
  exports["serve"] = Napi::Function::New(env, ServeVersion, "serve");
  exports["isMapped"] = Napi::Function::New(env, IsMapped, "isMapped");
  exports["onRelease"] = Napi::Function::New(env, OnRelease, "onRelease");
  internals["ledgerUse"] = Napi::Function::New(env, LedgerUse, "ledgerUse");
}

}  // namespace napi_reload
