// An image: one staged copy mapped into this process, with the private libraries it brought.
//
// 1. The shim holds the only dlopen handles of it, so that Node never does.
// 2. It counts the Versions that live in it. The last one to leave, or the last thread of its own
//    that ends after that, unmaps it.
// 3. Nothing but the counts and the key table changes after Open(). The counts are atomic; the key
//    table has the registry's mutex.
//
// Threads: any. Failure: no function throws but by running out of memory.

#ifndef NAPI_RELOAD_IMAGE_H_
#define NAPI_RELOAD_IMAGE_H_

#include <node_api.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace napi_reload {

class Version;

struct ImageOptions {
  std::string source;                  // what the user opened; named in errors
  std::string staged;                  // the rebound copy
  std::vector<std::string> libraries;  // rebound private libraries, dependencies first
  uint64_t version_id = 0;             // named in errors
  uint32_t api_version_max = 9;
  bool uses_uv = false;           // imports functions of libuv
  bool uses_uv_requests = false;  // ... that take callbacks which can't be followed
};

enum class OpenFailure { kNone, kLoad, kNoEntry, kApiVersion };

class Image {
 public:
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  // Maps it and runs its constructors, on the calling thread. The caller holds one reference.
  // On failure returns nullptr, nothing stays mapped, and `*message` says what the loader said.
  static Image* Open(const ImageOptions& options, OpenFailure* failure, std::string* message);

  // Another thread's image of this staged copy, with a reference for the caller; nullptr when none
  // is open.
  static Image* Join(const std::string& staged);

  // The image that has this address in its mapping, or nullptr. Takes the registry's mutex.
  static Image* Find(const void* address);

  void Acquire() { references_.fetch_add(1, std::memory_order_relaxed); }
  // Lets go; true when this unmapped it and nothing of it is left in the process.
  bool Release();

  bool Contains(const void* address) const;
  // Whether its mapping is in the process. Looks, never assumes.
  static bool IsMapped(const std::string& staged);

  const ImageOptions& options() const { return options_; }
  int32_t api_version() const { return api_version_; }
  napi_addon_register_func init() const { return init_; }
  size_t references() const { return references_.load(std::memory_order_acquire); }

  // Called by napi_module_register while Open() runs constructors on this thread.
  static void RegisterModule(napi_module* module);

  // Threads that run its code; each holds a reference of its own, taken by PinThread().
  std::atomic<size_t> threads{0};
  std::atomic<size_t> uv_work{0};
  std::atomic<size_t> thread_locals{0};

  // A pthread key that its code made.
  struct Key {
    pthread_key_t key;
    void (*destructor)(void*);
  };
  void AddKey(const Key& key);
  static void ForgetKey(pthread_key_t key);

  // Listeners of pins that go: Versions that want to retire. Any thread.
  void AddWatcher(Version* version);
  void RemoveWatcher(Version* version);
  void PinReleased();

  // How many Images are open.
  static size_t Count();

 private:
  struct Range {
    uintptr_t begin;
    uintptr_t end;
  };

  explicit Image(const ImageOptions& options) : options_(options) {}
  ~Image() = default;
  bool Map(std::string* message);
  bool FindEntry(OpenFailure* failure, std::string* message);
  void FindRanges(void* handle);
  void Unmap();
  void DeleteKeys();

  const ImageOptions options_;
  std::vector<void*> handles_;  // libraries first, the addon last
  std::vector<Range> ranges_;
  std::vector<Key> keys_;
  std::vector<Version*> watchers_;
  napi_module* registered_ = nullptr;
  napi_addon_register_func init_ = nullptr;
  int32_t api_version_ = 8;
  std::atomic<size_t> references_{1};
  bool open_ = false;  // Open() is through; under the registry's mutex
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_IMAGE_H_
