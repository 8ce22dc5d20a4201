// An image: one staged copy mapped into this process, with the private libraries it brought.
//
// 1. The shim holds the only dlopen handles of it, so that Node never does.
// 2. A reference keeps it mapped. Versions have one each, and so has whatever of it still runs or
//    will run: threads, destructors, finalizers. The last reference to go unmaps it.
// 3. A holder is who can still call it: a Version, or a handle that is about to make one. Holders
//    of one image may be on several threads. Who leaves as the last holder looks for what forbids
//    to unmap it; the others leave it to them.
// 4. An image with a share key can be joined by any thread as long as it is listed. Its files lie
//    in a stage directory of its own, which goes with it: none of its holders is sure to be the
//    last.
// 5. Nothing but the counts, the flags and the key table changes after Open(). The counts are
//    atomic; all else has the registry's mutex.
//
// Threads: any. Failure: no function throws but by running out of memory.

#ifndef NAPI_RELOAD_IMAGE_H_
#define NAPI_RELOAD_IMAGE_H_

#include <node_api.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stage.h"

namespace napi_reload {

class Version;

struct ImageOptions {
  std::string staged;                  // the rebound copy
  std::vector<std::string> libraries;  // rebound private libraries, dependencies first
  std::string share_key;               // who gives the same may join; empty: nobody may
  bool fresh = false;                  // with a key: join none that is listed
  uint64_t round = 0;                  // of a reload of all threads (thread_barrier.h); 0: of none
  bool follows = false;                // of a round: join what its leader has opened, or nothing
  uint32_t api_version_max = 9;
  bool uses_uv = false;           // imports functions of libuv
  bool uses_uv_requests = false;  // ... that take callbacks which can't be followed
};

enum class OpenFailure { kNone, kLoad, kNoEntry, kApiVersion, kStage, kBusy };

class Image;

struct OpenResult {
  Image* image = nullptr;  // with one holder and its reference; the caller's
  bool joined = false;     // it was there; `staged` and `libraries` were not used
  OpenFailure failure = OpenFailure::kNone;
  std::string message;             // what the loader said
  std::optional<IoFailure> stage;  // of kStage
};

// What letting go came to.
enum class LetGo {
  kHeld,         // others have references
  kGone,         // it was the last; nothing of it is in the process
  kStillMapped,  // it was the last; something unseen holds the mapping
};

class Image {
 public:
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  // Maps it and runs its constructors, on the calling thread, unless one with the same key is
  // listed, or is its round's. On failure nothing stays mapped. kBusy: another thread is opening
  // it, or a round is about to replace it or to make it the one that serves; ask again.
  static OpenResult Open(const ImageOptions& options);

  // The image whose code will run: the one that has `given` in its mapping, such as the start of a
  // thread, else the one that has `caller`, else nullptr. The return address alone does not tell: a
  // call that is the last thing its function does is compiled to a jump, and returns to whoever
  // called that function, such as Node. Takes the registry's mutex.
  static Image* Find(const void* given, const void* caller);

  void Acquire() { references_.fetch_add(1, std::memory_order_relaxed); }
  LetGo Release();
  // The end of something that `count` counts and that has a reference. Tells the watchers; by then
  // both are gone, for all that another thread can see.
  void ReleaseCounted(std::atomic<size_t>* count);

  // One more holder, with a reference.
  void Hold();
  // The caller is no holder from now on, but has its reference still. False, and nothing has
  // changed, when it is the last holder and does not say that it knows: it has to look at what
  // forbids to unmap the image then. After the last has left, nobody joins.
  bool Leave(bool knows_that_it_is_last);
  size_t holders() const { return holders_.load(); }

  // These are about to be replaced, or to take over the state of such: until EndRound() nobody
  // joins but who follows.
  static void Freeze(const std::vector<uint64_t>& ids);
  // Ends that for the ones that are replaced, and for their targets. Committed: the former are
  // never joined again, and what the round has opened can be joined by all. Otherwise the other way
  // round.
  static void EndRound(uint64_t round, const std::vector<uint64_t>& ids,
                       const std::vector<uint64_t>& targets, bool committed);

  bool Contains(const void* address) const;
  // Whether its mapping is in the process. Looks, never assumes.
  static bool IsMapped(const std::string& staged);

  uint64_t id() const { return id_; }
  const ImageOptions& options() const { return options_; }
  int32_t api_version() const { return api_version_; }
  napi_addon_register_func init() const { return init_; }
  size_t references() const { return references_.load(std::memory_order_acquire); }

  // Called by napi_module_register while Open() runs constructors on this thread.
  static void RegisterModule(napi_module* module);

  // Threads that run its code; each holds a reference of its own, taken by PinThread().
  std::atomic<size_t> threads{0};
  std::atomic<size_t> shared_buffers{0};
  std::atomic<size_t> shared_buffer_bytes{0};
  std::atomic<size_t> uv_work{0};
  std::atomic<size_t> thread_locals{0};

  // pthread_key_create() for its code.
  int CreateKey(pthread_key_t* key, void (*destructor)(void*));
  static void ForgetKey(pthread_key_t key);
  // Runs the destructor of the key that this thunk was given to, if its image is still there.
  static void RunKeyDestructor(size_t thunk, void* value);

  // Listeners of pins that go: Versions that want to retire. Any thread.
  void AddWatcher(Version* version);
  void RemoveWatcher(Version* version);

  // How many Images are open.
  static size_t Count();

 private:
  struct Range {
    uintptr_t begin;
    uintptr_t end;
  };

  struct Registry {
    std::mutex mutex;
    std::vector<Image*> images;
    size_t keys_made = 0;
    uint64_t images_made = 0;
  };
  struct Key {
    pthread_key_t key;
    void (*destructor)(void*);
    size_t thunk;
  };
  static Registry& registry();

  explicit Image(const ImageOptions& options) : options_(options) {}
  ~Image() = default;
  // With the registry's mutex held: the image that has this address in its mapping, or nullptr.
  static Image* FindAt(const void* address);
  // With the registry's mutex held: the image to join, or to wait for; nullptr where there is none.
  static Image* FindShared(const ImageOptions& options);
  bool MayBeJoined(const ImageOptions& options) const;
  // Gives its files names in a directory that it owns, too.
  std::optional<IoFailure> TakeFiles();
  bool Map(std::string* message);
  bool FindEntry(OpenFailure* failure, std::string* message);
  void FindRanges(void* handle);
  // False when its last reference has gone.
  bool TryAcquire();
  LetGo Destroy();
  void Unmap();
  void DeleteKeys();

  ImageOptions options_;
  std::shared_ptr<StageDirectory> directory_;  // of a shared image
  std::vector<void*> handles_;                 // libraries first, the addon last
  std::vector<Range> ranges_;
  std::vector<Key> keys_;
  std::vector<Version*> watchers_;
  napi_module* registered_ = nullptr;
  napi_addon_register_func init_ = nullptr;
  int32_t api_version_ = 8;
  std::atomic<size_t> references_{1};
  std::atomic<size_t> holders_{1};  // changed under the registry's mutex
  uint64_t id_ = 0;                 // never used twice
  uint64_t round_ = 0;              // that has opened it and is not decided
  bool open_ = false;               // Open() is through
  bool listed_ = false;             // who gives its key joins it, or waits for it
  bool frozen_ = false;             // a round is about to replace it, or to go over to it
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_IMAGE_H_
