// The pthread keys of an image. Their destructors run at the very end of a thread, when it has
// given back all that it held: glibc may be on its way to one while another thread unmaps the
// image. So pthread knows only functions of the shim, which look whether the image is still there,
// and hold it while they run its code.

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "image.h"

namespace napi_reload {
namespace {

// Of PTHREAD_KEYS_MAX, which glibc does not raise. Given out in turn, so that a thread that is on
// its way to a deleted key's destructor does not find another's.
constexpr size_t kKeyThunks = 1024;
using Destructor = void (*)(void*);

template <size_t kIndex>
void KeyThunk(void* value) noexcept {
  Image::RunKeyDestructor(kIndex, value);
}

template <size_t... kIndexes>
constexpr std::array<Destructor, sizeof...(kIndexes)> MakeThunks(std::index_sequence<kIndexes...>) {
  return {KeyThunk<kIndexes>...};
}

constexpr std::array<Destructor, kKeyThunks> kThunks =
    MakeThunks(std::make_index_sequence<kKeyThunks>());

}  // namespace

int Image::CreateKey(pthread_key_t* key, Destructor destructor) {
  if (destructor == nullptr) return pthread_key_create(key, nullptr);
  std::lock_guard<std::mutex> lock(registry().mutex);
  const size_t thunk = registry().keys_made++ % kKeyThunks;
  const int status = pthread_key_create(key, kThunks[thunk]);
  if (status == 0) keys_.push_back({*key, destructor, thunk});
  return status;
}

void Image::ForgetKey(pthread_key_t key) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  for (Image* const image : registry().images) {
    auto& keys = image->keys_;
    keys.erase(std::remove_if(keys.begin(), keys.end(),
                              [key](const Key& candidate) { return candidate.key == key; }),
               keys.end());
  }
}

void Image::RunKeyDestructor(size_t thunk, void* value) {
  Image* image = nullptr;
  Destructor destructor = nullptr;
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (Image* const candidate : registry().images) {
      for (const Key& key : candidate->keys_) {
        if (key.thunk == thunk) std::tie(image, destructor) = std::tuple(candidate, key.destructor);
      }
    }
    // Its last reference may have gone already, before it leaves the registry.
    if (image == nullptr || !image->TryAcquire()) return;
  }
  destructor(value);
  image->Release();
}

bool Image::TryAcquire() {
  size_t references = references_.load();
  while (references > 0) {
    if (references_.compare_exchange_weak(references, references + 1)) return true;
  }
  return false;
}

void Image::DeleteKeys() {
  // A deleted key's destructors never run: values of this thread get theirs now, those of other
  // threads are lost with the key, as they would be had the addon deleted it.
  const std::vector<Key> keys = std::exchange(keys_, {});
  for (const Key& key : keys) {
    void* const value = pthread_getspecific(key.key);
    if (value != nullptr) {
      pthread_setspecific(key.key, nullptr);
      key.destructor(value);
    }
    pthread_key_delete(key.key);
  }
}

}  // namespace napi_reload
