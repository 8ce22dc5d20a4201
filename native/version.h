// A version in one thread: an Image, the napi_env that was made for it, and the ledger of all that
// its code handed to Node there.
//
// Lifetimes; each of these was a crash before it was a rule:
// 1. A Version is made by Mint() (load.h) and ends in Retire() or, when its env is torn down first,
//    in OnEnvEnd(). Nobody else deletes one.
// 2. A Gate outlives its Version for as long as a function object could still be called.
// 3. A Holding that Node may still finalize outlives its Version as an orphan without a callback.
// 4. Image code is entered through Entry only, so that `frames` is never wrong.
//
// Threads: all of it belongs to the env's thread, except PostRelease().

#ifndef NAPI_RELOAD_VERSION_H_
#define NAPI_RELOAD_VERSION_H_

#include <node_api.h>

#include <functional>
#include <string>
#include <vector>

#include "image.h"
#include "list.h"
#include "pins.h"
#include "slots.h"

namespace napi_reload {

class Version;
struct AsyncHook;
struct Holding;
struct Work;

// A napi_ref as the addon sees it.
struct Reference : Link {
  napi_ref real = nullptr;
  Holding* holding = nullptr;  // of which it is the reference, as long as both live
};

// A cleanup hook, or an asynchronous one, in the order in which they were added.
struct Hook : Link {
  Version* version = nullptr;
  napi_cleanup_hook call = nullptr;
  napi_async_cleanup_hook call_async = nullptr;
  void* argument = nullptr;
  napi_async_cleanup_hook_handle real = nullptr;
  bool started = false;
};

struct InstanceData {
  void* data = nullptr;
  napi_finalize finalize = nullptr;
  void* hint = nullptr;
};

// What errors call a version. Each holder of an image has a name of its own for it.
struct VersionName {
  std::string source;  // what the user opened
  uint64_t id = 0;
};

class Version {
 public:
  enum class State { kLive, kClosing, kEnded };

  // Becomes one more holder of the image.
  Version(Image* image, const VersionName& name, napi_env env);
  Version(const Version&) = delete;
  Version& operator=(const Version&) = delete;
  ~Version();

  // The one that has this env on this thread, or nullptr.
  static Version* Of(napi_env env);
  // How many versions of this thread live in the image.
  static size_t CountIn(const Image* image);

  napi_env env() const { return env_; }
  Image* image() const { return image_; }
  Gate* gate() const { return gate_; }

  // What forbids to unload it now.
  std::vector<Pin> Pins() const;

  void Pinned(PinKind kind, size_t bytes = 0) { tally_.Add(kind, bytes); }
  void Unpinned(PinKind kind, size_t bytes = 0) {
    tally_.Remove(kind, bytes);
    PinReleased();
  }

  // `post` is called whenever a pin may have gone, from any thread and from inside of garbage
  // collection: it may only leave a message for the event loop. Empty takes it away.
  void SetReleaseListener(std::function<void()> post);
  void PinReleased() {
    if (listening_) PostRelease();
  }
  // Under the registry's mutex when another thread calls it.
  void PostRelease();

  State state = State::kLive;
  List<Holding> holdings;
  List<Reference> references;
  List<Hook> hooks;
  List<Work> works;
  InstanceData instance;

 private:
  Image* const image_;
  const napi_env env_;
  Gate* const gate_;
  Tally tally_;
  bool listening_ = false;
  std::function<void()> post_;
};

// Code of a version is on the stack while one of these lives.
class Entry {
 public:
  explicit Entry(Version* version) : gate_(version->gate()) { EnterGate(gate_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { LeaveGate(gate_); }

 private:
  Gate* const gate_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_VERSION_H_
