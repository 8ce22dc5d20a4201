// Starts threads when it is registered, each with an object of its own and a value of a key.
#include <pthread.h>

#include <atomic>
#include <thread>

namespace {

struct Local {
  int uses = 0;
  ~Local() { ++uses; }
};

thread_local Local local;
pthread_key_t key;
std::atomic<int> destroyed;

void* Run(void*) {
  ++local.uses;
  pthread_setspecific(key, &destroyed);
  return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void*) {
  pthread_key_create(&key, [](void*) { ++destroyed; });
  for (int count = 0; count < 2; ++count) {
    pthread_t thread;
    pthread_create(&thread, nullptr, Run, nullptr);
    pthread_detach(thread);
    std::thread([] { Run(nullptr); }).detach();
  }
  return nullptr;
}
