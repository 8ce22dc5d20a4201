#include "version.h"

#include <unordered_map>
#include <utility>

#include "hazards.h"
#include "holdings.h"
#include "interpose/thread_locals.h"

namespace napi_reload {
namespace {

// The versions of this thread. A plain pointer, so that a thread that never had one pays nothing
// and no destructor runs when a thread ends.
thread_local std::unordered_map<napi_env, Version*>* versions = nullptr;
thread_local Version* latest = nullptr;

}  // namespace

Version::Version(Image* image, napi_env env) : image_(image), env_(env), gate_(new Gate) {
  gate_->env = env;
  gate_->source = image->options().source;
  gate_->version_id = image->options().version_id;
  image_->Acquire();
  if (versions == nullptr) versions = new std::unordered_map<napi_env, Version*>;
  versions->emplace(env, this);
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

std::vector<Pin> Version::Pins() const {
  std::vector<Pin> pins;
  for (size_t index = 0; index < kPinKinds; ++index) {
    Pin pin = tally_.at(static_cast<PinKind>(index));
    pin.kind = static_cast<PinKind>(index);
    if (pin.kind == PinKind::kFrames) pin.count = gate_->frames;
    if (pin.count > 0) pins.push_back(pin);
  }
  // Threads and the like hold the image, not this version: they matter when it would be unmapped.
  const size_t own = CountThreadLocals(image_);
  const size_t threads = image_->threads.load();
  const size_t elsewhere = image_->thread_locals.load() - own;
  const size_t uv_work = image_->uv_work.load();
  if (image_->references() > 1 + threads + own + elsewhere + uv_work) return pins;
  const auto add = [&pins](PinKind kind, size_t count) {
    if (count > 0) pins.push_back({kind, count, 0});
  };
  add(PinKind::kThread, threads);
  add(PinKind::kThreadLocal, elsewhere);
  add(PinKind::kUvWork, uv_work);
  add(PinKind::kSignalHandler, CountSignalHandlers(*image_));
  add(PinKind::kUvHandle, CountUvHandles(*image_, env_));
  add(PinKind::kUvRequest, image_->options().uses_uv_requests ? 1 : 0);
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
