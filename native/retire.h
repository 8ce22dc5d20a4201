// The end of a version.
//
// Retire() does what Node does when a Worker's env ends: cleanup hooks in reverse, finalizers,
// instance data, references. Then it revokes the functions, unmaps the image and looks whether it
// is gone. It never starts while code runs or JavaScript holds memory of the version; what cleanup
// hooks may end (threads, handles) is looked at after they ran.
//
// Threads: the version's.

#ifndef NAPI_RELOAD_RETIRE_H_
#define NAPI_RELOAD_RETIRE_H_

#include <node_api.h>

#include <vector>

#include "version.h"

namespace napi_reload {

enum class RetireOutcome {
  kUnloaded,     // ended; its mapping is gone
  kShared,       // ended; others hold the same image still
  kStillMapped,  // ended; something unseen holds the mapping
  kPinned,       // not ended: see `pins`. Call again when the listener was called
};

struct RetireResult {
  RetireOutcome outcome;
  std::vector<Pin> pins;
  size_t others = 0;  // of kShared: who holds the image still, as far as can be told
};

struct RetireOptions {
  // End wrapped objects and externals that JavaScript still holds: they become empty.
  bool release_objects = false;
};

// After any outcome but kPinned the version is deleted. After kPinned it is either untouched, or
// past its cleanup hooks when those were what could end the pins: it must not be used then.
RetireResult Retire(Version* version, const RetireOptions& options);

// What Node calls when the env ends before its version has. Deletes the version; unmaps the image
// when the thread is a Worker's, as Node does with addons.
void OnEnvEnd(napi_env env, void* data, void* hint);

}  // namespace napi_reload

#endif  // NAPI_RELOAD_RETIRE_H_
