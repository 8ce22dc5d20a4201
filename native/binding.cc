// The side of the shim that faces our TypeScript: src/native.ts describes each function, and this
// file only turns arguments into C++ values and results into plain objects.
//
// Lifetimes: an environment (the main thread's, or a Worker's) keeps the directories that it opened
// until it ends, so that they are removed also when nobody closed them; their JS handles only point
// at them. A probe belongs to its JS handle. Each thread that loads the shim gets an environment of
// its own; nothing here is shared between them.
//
// Only a wrong argument throws. Everything else is a value.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "copy.h"
#include "facts.h"
#include "hash.h"
#include "napi.h"
#include "posix.h"
#include "probe.h"
#include "stage.h"

namespace napi_reload {
namespace {

// An object that a handle of one kind is never taken for one of the other. The numbers are random.
constexpr napi_type_tag kStageTag = {0x8f1c62e9d04b4a37, 0xb5a7e3120c96f8d1};
constexpr napi_type_tag kProbeTag = {0x27d9b4f0163e4c85, 0x9e02c7a85d31f64b};

constexpr off_t kSmallBytesMax = 1024 * 1024;

struct Environment {
  std::vector<std::shared_ptr<StageDirectory>> directories;
};

void CloseDirectories(void* data) noexcept {
  auto* environment = static_cast<Environment*>(data);
  for (const auto& directory : environment->directories) directory->Close();
  environment->directories.clear();
}

void Throw(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
}

// --- Arguments. Each gives false, with an exception pending, when the argument is wrong.

bool ReadPath(const Napi::CallbackInfo& info, size_t index, std::string* path) {
  if (!info[index].IsString()) {
    Throw(info.Env(), "a path must be a string");
    return false;
  }
  *path = info[index].As<Napi::String>().Utf8Value();
  if (!path->empty() && path->find('\0') == std::string::npos) return true;
  Throw(info.Env(), "a path must not be empty or hold a NUL character");
  return false;
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

Napi::Object MakeResult(Napi::Env env, bool ok, const char* kind) {
  auto result = Napi::Object::New(env);
  result["ok"] = Napi::Boolean::New(env, ok);
  if (kind != nullptr) result["kind"] = kind;
  return result;
}

Napi::Array ToArray(Napi::Env env, const std::vector<std::string>& texts) {
  auto array = Napi::Array::New(env, texts.size());
  for (uint32_t index = 0; index < texts.size(); ++index) array[index] = texts[index];
  return array;
}

Napi::Value OrNull(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::String::New(env, *text).As<Napi::Value>() : env.Null();
}

Napi::Object ToObject(Napi::Env env, const IoFailure& failure) {
  auto result = MakeResult(env, false, "io");
  result["operation"] = failure.operation;
  result["path"] = failure.path;
  result["errno"] = ErrnoName(failure.error);
  result["message"] = std::strerror(failure.error);
  return result;
}

Napi::Object ToObject(Napi::Env env, const UnsafeDirectory& unsafe) {
  auto result = MakeResult(env, false, "unsafe");
  result["path"] = unsafe.path;
  result["found"] = unsafe.found;
  return result;
}

Napi::Object ToObject(Napi::Env env, const Staged& staged) {
  static constexpr const char* kMethods[] = {"clone", "range", "read"};
  auto result = MakeResult(env, true, "staged");
  result["path"] = staged.path;
  result["hash"] = staged.hash;
  result["bytes"] = static_cast<double>(staged.bytes);
  result["file"] = staged.file;
  result["mtimeMs"] = staged.mtime_ms;
  result["method"] = kMethods[static_cast<size_t>(staged.method)];
  return result;
}

Napi::Object ToObject(Napi::Env env, const Same& same) {
  auto result = MakeResult(env, true, "same");
  result["hash"] = same.hash;
  return result;
}

Napi::Object ToObject(Napi::Env env, const Incomplete& incomplete) {
  auto result = MakeResult(env, false, "incomplete");
  result["found"] = incomplete.found;
  result["bytes"] = static_cast<double>(incomplete.bytes);
  result["mtimeMs"] = incomplete.mtime_ms;
  return result;
}

Napi::Object ToObject(Napi::Env env, const Foreign& foreign) {
  auto result = MakeResult(env, false, "foreign");
  result["found"] = foreign.found;
  return result;
}

Napi::Object ToObject(Napi::Env env, const NotElf& not_elf) {
  auto result = MakeResult(env, false, not_elf.malformed ? "malformed" : "foreign");
  result["found"] = not_elf.found;
  return result;
}

Napi::Object ToObject(Napi::Env env, const ImageFacts& facts) {
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

// --- The functions of the interface, in its order.

Napi::Value StageOpen(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::string stage_dir;
  std::string name;
  if (!ReadPath(info, 0, &stage_dir) || !ReadPath(info, 1, &name)) return env.Undefined();
  auto opened = StageDirectory::Open(stage_dir, name);
  if (const auto* failure = std::get_if<IoFailure>(&opened)) return ToObject(env, *failure);
  if (const auto* unsafe = std::get_if<UnsafeDirectory>(&opened)) return ToObject(env, *unsafe);
  auto& directory = std::get<std::shared_ptr<StageDirectory>>(opened);
  env.GetInstanceData<Environment>()->directories.push_back(directory);
  auto result = MakeResult(env, true, nullptr);
  result["path"] = directory->path();
  result["swept"] = ToArray(env, directory->swept());
  result["handle"] = MakeHandle(env, std::move(directory), kStageTag);
  return result;
}

void StageClose(const Napi::CallbackInfo& info) {
  const auto* handle = ReadHandle<std::shared_ptr<StageDirectory>>(info, 0, kStageTag);
  if (handle == nullptr) return;
  (*handle)->Close();
  auto& directories = info.Env().GetInstanceData<Environment>()->directories;
  for (auto at = directories.begin(); at != directories.end(); ++at) {
    if (*at != *handle) continue;
    directories.erase(at);
    return;
  }
}

// Whether results can be handed out. An environment that ends waits for its work in progress, and
// lets it complete when JS can't run any more; node-addon-api ends the process at the first call
// that fails then.
bool CanRunJs(napi_env env) {
  napi_value object = nullptr;
  return napi_create_object(env, &object) == napi_ok &&
         napi_set_named_property(env, object, "self", object) == napi_ok;
}

// Execute runs on the pool, everything else on the JS thread.
class StageWorker : public Napi::AsyncWorker {
 public:
  StageWorker(Napi::Env env, std::shared_ptr<StageDirectory> directory, StageRequest request)
      : Napi::AsyncWorker(env, "napi-reload:stage"),
        deferred_(env),
        directory_(std::move(directory)),
        request_(std::move(request)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { result_ = StageFile(directory_, request_); }

  void OnOK() override {
    const auto env = Env();
    if (!CanRunJs(env)) return;  // nobody is left to read the result
    // The file got its name just before the directory was removed with it.
    const auto* staged = std::get_if<Staged>(&result_);
    if (staged != nullptr && directory_->closed()) {
      result_ = IoFailure{"link", std::string(staged->path), ECANCELED};
    }
    deferred_.Resolve(
        std::visit([&](const auto& result) { return ToObject(env, result); }, result_));
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::shared_ptr<StageDirectory> directory_;
  StageRequest request_;
  StageResult result_;
};

// Whether a copy takes less time (0.13 ms for 100 KB) than the loader will take on this thread
// right after it, and far less than the way to a pool thread and back on a machine under load.
bool IsSmall(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) != 0 || status.st_size <= kSmallBytesMax;
}

Napi::Value StageCopy(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto* handle = ReadHandle<std::shared_ptr<StageDirectory>>(info, 0, kStageTag);
  StageRequest request;
  if (handle == nullptr || !ReadPath(info, 1, &request.source)) return env.Undefined();
  if (!info[2].IsNumber() || !(info[3].IsString() || info[3].IsNull())) {
    Throw(env, "stageCopy takes a handle, a path, a number, and a hash or null");
    return env.Undefined();
  }
  request.id = info[2].As<Napi::Number>().Int64Value();
  if (info[3].IsString()) request.skip_hash = info[3].As<Napi::String>().Utf8Value();
  if (IsSmall(request.source)) {
    const auto result = StageFile(*handle, request);
    return std::visit([&](const auto& value) { return ToObject(env, value); }, result);
  }
  auto worker = std::make_unique<StageWorker>(env, *handle, std::move(request));
  const auto promise = worker->promise();
  worker.release()->Queue();  // deletes itself when it is done
  return promise;
}

Napi::Value StageDiscard(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto* handle = ReadHandle<std::shared_ptr<StageDirectory>>(info, 0, kStageTag);
  std::string path;
  if (handle == nullptr || !ReadPath(info, 1, &path)) return env.Undefined();
  const auto failure = (*handle)->Unlink(path.substr(path.rfind('/') + 1));
  return failure ? ToObject(env, *failure).As<Napi::Value>() : env.Null();
}

Napi::Value FactsOf(Napi::Env env, const uint8_t* data, size_t size) {
  const auto facts = ReadFacts(data, size, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  return std::visit([&](const auto& result) -> Napi::Value { return ToObject(env, result); },
                    facts);
}

Napi::Value Inspect(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::string path;
  if (!ReadPath(info, 0, &path)) return env.Undefined();
  const Fd file(Retry([&] { return open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
  if (!file.ok()) return ToObject(env, IoFailure{"open", path, errno});
  struct stat status;
  if (fstat(file.get(), &status) != 0) return ToObject(env, IoFailure{"fstat", path, errno});
  if (!S_ISREG(status.st_mode)) return ToObject(env, NotElf{false, "not a regular file"});
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return ToObject(env, NotElf{false, "it is empty"});
  if (status.st_size <= kSmallBytesMax) {
    // Cheaper than the page faults of a mapping: 30 against 60 microseconds for 80 KB.
    std::vector<uint8_t> bytes(size);
    if (Retry([&] { return pread(file.get(), bytes.data(), size, 0); }) != status.st_size) {
      return ToObject(env, IoFailure{"read", path, errno});
    }
    return FactsOf(env, bytes.data(), size);
  }
  // A mapping is safe because a staged file is written by nobody; the loader maps it in the same
  // way.
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return ToObject(env, IoFailure{"mmap", path, errno});
  const auto facts = FactsOf(env, static_cast<const uint8_t*>(data), size);
  munmap(data, size);
  return facts;
}

Napi::Value Probe(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::string path;
  if (!ReadPath(info, 0, &path)) return env.Undefined();
  auto opened = LoadedImage::Open(path);
  if (const auto* words = std::get_if<std::string>(&opened)) {
    auto result = MakeResult(env, false, nullptr);
    result["message"] = *words;
    return result;
  }
  auto& image = std::get<LoadedImage>(opened);
  const auto version = image.ApiVersion();
  auto result = MakeResult(env, true, nullptr);
  result["apiVersion"] = version ? Napi::Number::New(env, *version).As<Napi::Value>() : env.Null();
  result["handle"] = MakeHandle(env, std::move(image), kProbeTag);
  return result;
}

void ProbeRelease(const Napi::CallbackInfo& info) {
  if (auto* image = ReadHandle<LoadedImage>(info, 0, kProbeTag)) image->Close();
}

Napi::Value CountMappings(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(CountProcessMappings()));
}

// Node.js keeps a wrap under a private symbol that all environments of a thread share, so that the
// wraps of other addons are found too. The data is theirs, and is not looked at.
Napi::Value HoldsNative(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  const bool wrapped = napi_unwrap(info.Env(), info[0], &data) == napi_ok;
  return Napi::Boolean::New(info.Env(), wrapped);
}

// sha256(bytes, portable, chunkBytes): for the tests of hash.cc alone.
Napi::Value HashForTest(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  if (!info[0].IsBuffer() || !info[1].IsBoolean() || !info[2].IsNumber()) {
    Throw(env, "sha256 takes a Buffer, a boolean and a number");
    return env.Undefined();
  }
  const auto bytes = info[0].As<Napi::Buffer<uint8_t>>();
  const bool portable = info[1].As<Napi::Boolean>().Value();
  const size_t chunk = std::max<uint32_t>(1, info[2].As<Napi::Number>().Uint32Value());
  Sha256 hash(portable ? Sha256::Path::kPortable : Sha256::Path::kFastest);
  for (size_t at = 0; at < bytes.Length(); at += chunk) {
    hash.Update(bytes.Data() + at, std::min(chunk, bytes.Length() - at));
  }
  return Napi::String::New(env, hash.FinishHex());
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment;
  env.SetInstanceData(environment);  // deletes it after the hook has run
  napi_add_env_cleanup_hook(env, CloseDirectories, environment);
  exports["stageOpen"] = Napi::Function::New(env, StageOpen, "stageOpen");
  exports["stageClose"] = Napi::Function::New(env, StageClose, "stageClose");
  exports["stageCopy"] = Napi::Function::New(env, StageCopy, "stageCopy");
  exports["stageDiscard"] = Napi::Function::New(env, StageDiscard, "stageDiscard");
  exports["inspect"] = Napi::Function::New(env, Inspect, "inspect");
  exports["probe"] = Napi::Function::New(env, Probe, "probe");
  exports["probeRelease"] = Napi::Function::New(env, ProbeRelease, "probeRelease");
  exports["countMappings"] = Napi::Function::New(env, CountMappings, "countMappings");
  exports["holdsNative"] = Napi::Function::New(env, HoldsNative, "holdsNative");
  auto internals = Napi::Object::New(env);
  internals["sha256"] = Napi::Function::New(env, HashForTest, "sha256");
  internals["sha256Accelerated"] = Sha256::Accelerated();
  exports["internals"] = internals;
  return exports;
}

}  // namespace

NODE_API_MODULE(napi_reload, Init)

}  // namespace napi_reload
