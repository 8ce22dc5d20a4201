#include "retire.h"

#include <algorithm>
#include <utility>

#include "holdings.h"
#include "interpose/table.h"
#include "interpose/thread_locals.h"
#include "posix.h"
#include "work.h"

namespace napi_reload {
namespace {

std::vector<Pin> BlockingPins(const Version& version, const RetireOptions& options) {
  std::vector<Pin> pins = version.Pins();
  if (options.release_objects) {
    pins.erase(std::remove_if(pins.begin(), pins.end(),
                              [](const Pin& pin) { return IsReleasable(pin.kind); }),
               pins.end());
  }
  return pins;
}

// Whether running the hooks is a way to end the pins.
bool HooksMayEndAll(const Version& version, const std::vector<Pin>& pins) {
  if (pins.empty()) return true;
  if (version.hooks.empty()) return false;
  return std::all_of(pins.begin(), pins.end(),
                     [](const Pin& pin) { return HooksMayEnd(pin.kind); });
}

// An exception of a finalizer has no caller: it is uncaught, as in Node.
void ReportException(napi_env env) {
  bool pending = false;
  napi_value error;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

void RunInstanceFinalizer(Version* version) {
  const InstanceData instance = std::exchange(version->instance, InstanceData());
  if (instance.finalize == nullptr) return;
  Entry entry(version);
  instance.finalize(version->env(), instance.data, instance.hint);
}

void ReleaseReferences(Version* version) {
  while (Reference* const reference = version->references.front()) {
    if (reference->holding != nullptr) reference->holding->reference = nullptr;
    if (reference->real != nullptr) napi_delete_reference(version->env(), reference->real);
    reference->Unlink();
    delete reference;
  }
}

void FreeWorks(Version* version, bool in_node) {
  while (Work* const work = version->works.front()) {
    if (in_node && work->real != nullptr) napi_delete_async_work(version->env(), work->real);
    work->Unlink();
    delete work;
  }
}

void LeaveAllBehind(Version* version) {
  while (Holding* const holding = version->holdings.front()) LeaveBehind(holding);
}

Holding* FindMoved(const Version& version) {
  const List<Holding>& holdings = version.holdings;
  Holding* one = holdings.front();
  while (one != nullptr && one->kind != HoldingKind::kMoved) one = holdings.After(one);
  return one;
}

// Node knows nothing of them any more, and has finalized most others by now.
void ReleaseMoved(Version* version) {
  while (Holding* const holding = FindMoved(*version)) ReleaseHolding(holding);
}

void ReleaseEverything(Version* version) {
  while (Holding* const holding = version->holdings.front()) {
    ReleaseHolding(holding);
    ReportException(version->env());
  }
  RunInstanceFinalizer(version);
  ReportException(version->env());
}

// The version of this thread has left already.
RetireOutcome LetGoOf(Image* image) {
  if (Version::CountIn(image) == 0) RunThreadLocals(image);
  switch (image->Release()) {
    case LetGo::kHeld:
      return RetireOutcome::kShared;
    case LetGo::kGone:
      return RetireOutcome::kUnloaded;
    case LetGo::kStillMapped:
      break;
  }
  return RetireOutcome::kStillMapped;
}

RetireOutcome End(Version* version) {
  const napi_env env = version->env();
  Image* const image = version->image();
  Revoke(version->gate());
  // Of a hook that a finalizer added.
  LeaveAllBehind(version);
  ReleaseReferences(version);
  FreeWorks(version, true);
  // Node forgets its marker without calling it.
  napi_set_instance_data(env, nullptr, nullptr, nullptr);
  version->state = Version::State::kEnded;
  delete version;
  return LetGoOf(image);
}

}  // namespace

RetireResult Retire(Version* version, const RetireOptions& options) {
  const napi_env env = version->env();
  std::vector<Pin> pins = BlockingPins(*version, options);
  if (version->state == Version::State::kLive) {
    if (!HooksMayEndAll(*version, pins)) return {RetireOutcome::kPinned, std::move(pins)};
    version->state = Version::State::kClosing;
  }
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return {RetireOutcome::kPinned, std::move(pins)};
  }
  interpose::RunHooks(version);
  // What a hook took down must not be called into, however long the version stays for its pins.
  Revoke(version->gate());
  const bool is_only_holder = version->image()->holders() == 1;
  pins = BlockingPins(*version, options);
  if (pins.empty()) {
    ReleaseEverything(version);
    // A finalizer may have added one, or have started something.
    interpose::RunHooks(version);
    pins = BlockingPins(*version, options);
  }
  napi_close_handle_scope(env, scope);
  Image* const image = version->image();
  if (pins.empty() && !image->Leave(is_only_holder)) {
    // The others have left since the pins were looked at, and left the image's own to this one.
    pins = BlockingPins(*version, options);
    if (pins.empty()) image->Leave(true);
  }
  if (!pins.empty()) return {RetireOutcome::kPinned, std::move(pins)};
  RetireResult result;
  result.others = image->holders();
  result.outcome = End(version);
  return result;
}

void OnEnvEnd(napi_env, void* data, void*) {
  auto* const version = static_cast<Version*>(data);
  ReleaseMoved(version);
  RunInstanceFinalizer(version);
  // Node has run all but those that finalizers added, and would come back to these.
  interpose::RunHooks(version);
  LeaveAllBehind(version);
  ReleaseReferences(version);
  FreeWorks(version, false);
  while (Hook* const hook = version->hooks.front()) {
    hook->Unlink();
    delete hook;
  }
  FreeUntracked(version->gate());
  Image* const image = version->image();
  version->state = Version::State::kEnded;
  delete version;
  // Node never unloads addons of the main thread, whose exit handlers may still need them.
  if (OnMainThread()) return;
  image->Leave(true);
  LetGoOf(image);
}

}  // namespace napi_reload
