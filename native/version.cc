#include "version.h"

#include <memory>
#include <new>
#include <unordered_map>
#include <utility>

#include "hazards.h"
#include "holdings.h"
#include "interpose/table.h"
#include "interpose/thread_locals.h"

namespace napi_reload {
namespace {

// The versions of this thread. A plain pointer, so that a thread that never had one pays nothing
// and no destructor runs when a thread ends.
thread_local std::unordered_map<napi_env, Version*>* versions = nullptr;
thread_local Version* latest = nullptr;

Gate* MakeGate(const VersionName& name, napi_env env) {
  auto gate = std::make_unique<Gate>();
  gate->env = env;
  gate->source = name.source;
  gate->version_id = name.id;
  return gate.release();
}

}  // namespace

Version::Version(Image* image, const VersionName& name, napi_env env)
    : image_(image), env_(env), gate_(MakeGate(name, env)) {
  try {
    if (versions == nullptr) versions = new std::unordered_map<napi_env, Version*>;
    versions->emplace(env, this);
  } catch (const std::bad_alloc&) {
    DropGate(gate_);
    throw;
  }
  // Last: nobody would let go of it.
  image_->Hold();
}

Version::~Version() {
  SetReleaseListener(nullptr);
  versions->erase(env_);
  if (latest == this) latest = nullptr;
  if (versions->empty()) delete std::exchange(versions, nullptr);
  DropGate(gate_);
}

Version* Version::Of(napi_env env) {
  if (latest != nullptr && latest->env_ == env) return latest;
  if (versions == nullptr) return nullptr;
  const auto found = versions->find(env);
  if (found == versions->end()) return nullptr;
  latest = found->second;
  return latest;
}

size_t Version::CountIn(const Image* image) {
  if (versions == nullptr) return 0;
  size_t count = 0;
  for (const auto& entry : *versions) count += entry.second->image_ == image ? 1 : 0;
  return count;
}

std::vector<Pin> Version::Pins() const {
  std::vector<Pin> pins;
  for (size_t index = 0; index < kPinKinds; ++index) {
    Pin pin = tally_.at(static_cast<PinKind>(index));
    pin.kind = static_cast<PinKind>(index);
    if (pin.kind == PinKind::kFrames) pin.count = gate_->frames;
    if (pin.count > 0) pins.push_back(pin);
  }
  // The rest belongs to the image. Another holder of this thread may have made it, and will look.
  const bool is_shared = image_->holders() > 1;
  if (is_shared && CountIn(image_) > 1) return pins;
  const auto add = [&pins](PinKind kind, size_t count) {
    if (count > 0) pins.push_back({kind, count, 0});
  };
  if (!is_shared) {
    const size_t buffers = image_->shared_buffers.load();
    if (buffers > 0) {
      pins.push_back({PinKind::kSharedBuffer, buffers, image_->shared_buffer_bytes.load()});
    }
    // What may run on any thread matters when the image would be unmapped.
    add(PinKind::kThread, image_->threads.load());
    add(PinKind::kThreadLocal, image_->thread_locals.load() - CountThreadLocals(image_));
    add(PinKind::kUvWork, image_->uv_work.load());
    add(PinKind::kSignalHandler, CountSignalHandlers(*image_));
  } else {
    add(PinKind::kUvWork, interpose::CountUvWork(image_, env_));
  }
  add(PinKind::kUvHandle, CountUvHandles(*image_, env_));
  add(PinKind::kUvRequest, CountUvRequests(*image_, env_));
  return pins;
}

void Version::SetReleaseListener(std::function<void()> post) {
  if (listening_) image_->RemoveWatcher(this);
  post_ = std::move(post);
  listening_ = post_ != nullptr;
  if (listening_) image_->AddWatcher(this);
}

void Version::PostRelease() {
  if (post_) post_();
}

}  // namespace napi_reload
