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
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "binding_ledger.h"
#include "binding_values.h"
#include "copy.h"
#include "facts.h"
#include "hash.h"
#include "load.h"
#include "napi.h"
#include "posix.h"
#include "probe.h"
#include "stage.h"

namespace napi_reload {
namespace {

constexpr off_t kSmallBytesMax = 1024 * 1024;

struct Environment {
  std::vector<std::shared_ptr<StageDirectory>> directories;
};

void CloseDirectories(void* data) noexcept {
  auto* environment = static_cast<Environment*>(data);
  for (const auto& directory : environment->directories) directory->Close();
  environment->directories.clear();
}

Napi::Object ToObject(Napi::Env env, const UnsafeDirectory& unsafe) {
  auto result = MakeResult(env, false, "unsafe");
  result["path"] = unsafe.path;
  result["found"] = unsafe.found;
  return result;
}

void AddContents(Napi::Env env, const Contents& contents, Napi::Object result) {
  result["hash"] = contents.hash;
  result["fingerprint"] = contents.fingerprint;
  auto libraries = Napi::Array::New(env, contents.libraries.size());
  for (uint32_t index = 0; index < contents.libraries.size(); ++index) {
    const LibraryFile& file = contents.libraries[index];
    auto library = Napi::Object::New(env);
    library["source"] = file.source;
    library["hash"] = file.hash;
    library["file"] = file.identity;
    library["mtimeMs"] = file.mtime_ms;
    libraries[index] = library;
  }
  result["libraries"] = libraries;
  result["looked"] = ToArray(env, contents.looked);
}

Napi::Object ToObject(Napi::Env env, const Same& same) {
  auto result = MakeResult(env, true, "same");
  AddContents(env, same.contents, result);
  return result;
}

Napi::Object ToObject(Napi::Env env, const Staged& staged) {
  static constexpr const char* kMethods[] = {"clone", "range", "read"};
  auto result = MakeResult(env, true, "staged");
  result["path"] = staged.path;
  AddContents(env, staged.contents, result);
  result["bytes"] = static_cast<double>(staged.bytes);
  result["file"] = staged.file;
  result["mtimeMs"] = staged.mtime_ms;
  result["method"] = kMethods[static_cast<size_t>(staged.method)];
  const auto convert = [&](const auto& value) -> Napi::Value { return ToObject(env, value); };
  result["image"] = staged.facts ? std::visit(convert, *staged.facts) : env.Null();
  result["binding"] = staged.binding ? std::visit(convert, *staged.binding) : env.Null();
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
  auto& directories = env.GetInstanceData<Environment>()->directories;
  // First: what is in the list stays there until somebody closes its handle.
  directories.reserve(directories.size() + 1);
  const auto opened_now = directory;
  auto result = MakeResult(env, true, nullptr);
  result["path"] = directory->path();
  result["swept"] = ToArray(env, directory->swept());
  result["handle"] = MakeHandle(env, std::move(directory), kStageTag);
  directories.push_back(opened_now);
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

// Execute runs on the pool, everything else on the JS thread.
class StageWorker : public Napi::AsyncWorker {
 public:
  StageWorker(Napi::Env env, std::shared_ptr<StageDirectory> directory, StageRequest request)
      : Napi::AsyncWorker(env, "napi-reload:stage"),
        deferred_(env),
        directory_(std::move(directory)),
        request_(std::move(request)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      result_ = StageFile(directory_, request_);
    } catch (const std::bad_alloc&) {
      directory_->UnlinkVersion(request_.id);
      result_ = IoFailure{"malloc", "memory", ENOMEM};  // short enough to need none
    }
  }

  void OnOK() override {
    const auto env = Env();
    if (!CanRunJs(env)) return;  // nobody is left to read the result
    // The file got its name just before the directory was removed with it.
    const auto* staged = std::get_if<Staged>(&result_);
    if (staged != nullptr && directory_->closed()) {
      result_ = IoFailure{"link", std::string(staged->path), ECANCELED};
    }
    try {
      deferred_.Resolve(
          std::visit([&](const auto& result) { return ToObject(env, result); }, result_));
    } catch (const std::bad_alloc&) {
      directory_->UnlinkVersion(request_.id);
      deferred_.Resolve(OutOfMemory(env));
    }
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
  if (info[3].IsString()) request.skip = info[3].As<Napi::String>().Utf8Value();
  if (info[4].IsObject()) {
    const auto wanted = info[4].As<Napi::Object>();
    request.examine = ReadFlag(wanted.Get("examine"));
    request.rebind = ReadFlag(wanted.Get("rebind"));
    request.find_libraries = ReadFlag(wanted.Get("libraries"));
  }
  request.kept = ReadKept(info[5]);
  const bool at_once = ReadFlag(info[6]);
  if (at_once || IsSmall(request.kept ? request.kept->path : request.source)) {
    try {
      const auto result = StageFile(*handle, request);
      return std::visit([&](const auto& value) { return ToObject(env, value); }, result);
    } catch (const std::bad_alloc&) {
      (*handle)->UnlinkVersion(request.id);
      throw;
    }
  }
  auto worker = std::make_unique<StageWorker>(env, *handle, std::move(request));
  const auto promise = worker->promise();
  worker.release()->Queue();  // deletes itself when it is done
  return promise;
}

// keptLibrary(kept, index): the bytes, or a failed call.
Napi::Value KeptLibrary(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto kept = ReadKept(info[0]);
  if (!kept || !info[1].IsNumber()) {
    Throw(env, "keptLibrary takes what is kept of a version, and a number");
    return env.Undefined();
  }
  const auto bytes = ReadPristineLibrary(*kept, info[1].As<Napi::Number>().Uint32Value());
  if (const auto* failure = std::get_if<IoFailure>(&bytes)) return ToObject(env, *failure);
  const auto& read = std::get<std::vector<uint8_t>>(bytes);
  return Napi::Buffer<uint8_t>::Copy(env, read.data(), read.size());
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
    if (!ReadWhole(file.get(), bytes.data(), size, 0)) {
      return ToObject(env, IoFailure{"read", path, errno});
    }
    return FactsOf(env, bytes.data(), size);
  }
  // A mapping is safe because a staged file is written by nobody; the loader maps it in the same
  // way.
  const Mapping mapping(file.get(), size);
  if (!mapping.ok()) return ToObject(env, IoFailure{"mmap", path, errno});
  return FactsOf(env, mapping.data(), size);
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

// dieWithParent(parentPid)
Napi::Value DieWith(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  if (!info[0].IsNumber()) {
    Throw(env, "dieWithParent takes a number");
    return env.Undefined();
  }
  return Napi::Boolean::New(env, DieWithParent(info[0].As<Napi::Number>().Int32Value()));
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

Napi::Object AddShim(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment;
  env.SetInstanceData(environment);  // deletes it after the hook has run
  napi_add_env_cleanup_hook(env, CloseDirectories, environment);
  exports["stageOpen"] = Guarded<StageOpen>(env, "stageOpen");
  exports["stageClose"] = Napi::Function::New(env, StageClose, "stageClose");
  exports["stageCopy"] = Guarded<StageCopy>(env, "stageCopy");
  exports["keptLibrary"] = Guarded<KeptLibrary>(env, "keptLibrary");
  exports["stageDiscard"] = Guarded<StageDiscard>(env, "stageDiscard");
  exports["inspect"] = Guarded<Inspect>(env, "inspect");
  exports["probe"] = Guarded<Probe>(env, "probe");
  exports["probeRelease"] = Napi::Function::New(env, ProbeRelease, "probeRelease");
  exports["countMappings"] = Napi::Function::New(env, CountMappings, "countMappings");
  exports["holdsNative"] = Napi::Function::New(env, HoldsNative, "holdsNative");
  exports["dieWithParent"] = Napi::Function::New(env, DieWith, "dieWithParent");
  auto internals = Napi::Object::New(env);
  internals["sha256"] = Napi::Function::New(env, HashForTest, "sha256");
  internals["sha256Accelerated"] = Sha256::Accelerated();
  exports["internals"] = internals;
  auto station = AddThreads(env, exports);
  if (station == nullptr) return exports;
  AddLedger(env, exports, internals, std::move(station));
  AddFacades(env, exports);
  AddInstances(env, exports);
  AddMemory(env, exports);
  AddDoctor(env, exports);
  return exports;
}

}  // namespace

}  // namespace napi_reload

// Written out, and not left to NODE_API_MODULE: Node is led here for each version, too (load.h).
extern "C" NAPI_MODULE_EXPORT int32_t node_api_module_get_api_version_v1() {
  return napi_reload::MintApiVersion(NAPI_VERSION);
}

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  if (napi_reload::IsMinting()) return napi_reload::Mint(env, exports);
  napi_reload::PinShim();
  return Napi::RegisterModule(env, exports, napi_reload::AddShim);
}
