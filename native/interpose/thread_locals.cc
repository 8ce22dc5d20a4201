#include "thread_locals.h"

#include <pthread.h>

#include <utility>

#include "table.h"

extern "C" {
int __cxa_thread_atexit_impl(void (*destructor)(void*), void* object, void* dso);
extern void* __dso_handle;
}

namespace napi_reload {
namespace {

struct Destructor {
  void (*run)(void*);
  void* object;
  Image* image;  // acquired
  Destructor* next;
};

// The last registered first. Trivial, so that the shim has no thread_local destructor of its own.
thread_local Destructor* destructors = nullptr;
thread_local bool registered = false;

void RunFirst(Destructor** place) {
  Destructor* const first = *place;
  *place = first->next;
  first->run(first->object);
  Image* const image = first->image;
  delete first;
  image->ReleaseCounted(&image->thread_locals);
}

// At the end of the thread. A destructor may register another.
void RunAll(void*) {
  registered = false;
  while (destructors != nullptr) RunFirst(&destructors);
}

int AtThreadExit(void (*run)(void*), void* object, void* dso) {
  Image* const image = Image::Find(dso, __builtin_return_address(0));
  if (image == nullptr) return __cxa_thread_atexit_impl(run, object, dso);
  image->Acquire();
  image->thread_locals.fetch_add(1);
  destructors = new Destructor{run, object, image, destructors};
  if (!std::exchange(registered, true)) {
    return __cxa_thread_atexit_impl(RunAll, nullptr, &__dso_handle);
  }
  return 0;
}

int CreateKey(pthread_key_t* key, void (*destructor)(void*)) {
  const auto* const code = reinterpret_cast<const void*>(destructor);
  Image* const image = Image::Find(code, __builtin_return_address(0));
  return image == nullptr ? pthread_key_create(key, destructor) : image->CreateKey(key, destructor);
}

int DeleteKey(pthread_key_t key) {
  Image::ForgetKey(key);
  return pthread_key_delete(key);
}

}  // namespace

size_t CountThreadLocals(const Image* image) {
  size_t count = 0;
  for (const Destructor* one = destructors; one != nullptr; one = one->next) {
    if (one->image == image) ++count;
  }
  return count;
}

void RunThreadLocals(Image* image) {
  Destructor** place = &destructors;
  while (*place != nullptr) {
    if ((*place)->image == image) {
      RunFirst(place);
      // A destructor may have registered another at the front.
      place = &destructors;
    } else {
      place = &(*place)->next;
    }
  }
}

namespace interpose {

void AddThreadLocals(Table* table) {
  table->Add("__cxa_thread_atexit", AtThreadExit);
  table->Add("__cxa_thread_atexit_impl", AtThreadExit);
  table->Add("pthread_key_create", CreateKey);
  table->Add("pthread_key_delete", DeleteKey);
}

}  // namespace interpose
}  // namespace napi_reload
