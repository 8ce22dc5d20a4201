// Threads that run code of an image: it stays mapped until they have left it.

#include <pthread.h>
#include <uv.h>

#include <memory>
#include <thread>
#include <utility>

#include "table.h"

#define START_THREAD \
  "_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE"

namespace napi_reload::interpose {

// std::thread::_M_start_thread, which is private.
__attribute__((visibility("default"))) void RealStart(std::thread* thread,
                                                      std::unique_ptr<std::thread::_State> state,
                                                      void (*depend)()) __asm__(START_THREAD);

namespace {

// A thread's hold on an image. Its destructor also runs when the thread is cancelled or calls
// pthread_exit(), since both unwind the stack.
class Hold {
 public:
  explicit Hold(Image* image) : image_(image) {
    image_->Acquire();
    image_->threads.fetch_add(1);
  }
  Hold(Hold&& other) noexcept : image_(std::exchange(other.image_, nullptr)) {}
  Hold& operator=(Hold&&) = delete;
  ~Hold() {
    if (image_ != nullptr) image_->ReleaseCounted(&image_->threads);
  }

 private:
  Image* image_;
};

template <typename Function>
struct Start {
  Hold hold;
  Function function;
  void* argument;
};

void* RunPthread(void* data) {
  const auto owned =
      std::unique_ptr<Start<void* (*)(void*)>>(static_cast<Start<void* (*)(void*)>*>(data));
  return owned->function(owned->argument);
}

int CreatePthread(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*),
                  void* argument) {
  const auto* const code = reinterpret_cast<const void*>(function);
  Image* const image = Image::Find(code, __builtin_return_address(0));
  if (image == nullptr) return pthread_create(thread, attributes, function, argument);
  auto start = std::unique_ptr<Start<void* (*)(void*)>>(
      new Start<void* (*)(void*)>{Hold(image), function, argument});
  const int status = pthread_create(thread, attributes, RunPthread, start.get());
  if (status == 0) start.release();
  return status;
}

void RunUvThread(void* data) {
  const auto owned = std::unique_ptr<Start<uv_thread_cb>>(static_cast<Start<uv_thread_cb>*>(data));
  owned->function(owned->argument);
}

int CreateUvThread(uv_thread_t* thread, uv_thread_cb function, void* argument) {
  const auto* const code = reinterpret_cast<const void*>(function);
  Image* const image = Image::Find(code, __builtin_return_address(0));
  if (image == nullptr) return uv_thread_create(thread, function, argument);
  auto start = std::unique_ptr<Start<uv_thread_cb>>(
      new Start<uv_thread_cb>{Hold(image), function, argument});
  const int status = uv_thread_create(thread, RunUvThread, start.get());
  if (status == 0) start.release();
  return status;
}

int CreateUvThreadEx(uv_thread_t* thread, const uv_thread_options_t* options, uv_thread_cb function,
                     void* argument) {
  const auto* const code = reinterpret_cast<const void*>(function);
  Image* const image = Image::Find(code, __builtin_return_address(0));
  if (image == nullptr) return uv_thread_create_ex(thread, options, function, argument);
  auto start = std::unique_ptr<Start<uv_thread_cb>>(
      new Start<uv_thread_cb>{Hold(image), function, argument});
  const int status = uv_thread_create_ex(thread, options, RunUvThread, start.get());
  if (status == 0) start.release();
  return status;
}

// std::thread starts its state in libstdc++, which is not bound to the ledger: the state is
// wrapped on the way there. The first word of an object with virtual functions is the address of
// their table, which is in the image that made it.
class StdState : public std::thread::_State {
 public:
  StdState(Image* image, std::thread::_State* inner) : hold_(image), inner_(inner) {}
  void _M_run() override {
    inner_->_M_run();
    inner_.reset();
  }

 private:
  // Destroyed last: the inner state's destructor is code of the image.
  Hold hold_;
  std::unique_ptr<std::thread::_State> inner_;
};

void StartStdThread(std::thread* thread, std::unique_ptr<std::thread::_State> state,
                    void (*depend)()) {
  const void* const code = *reinterpret_cast<const void* const*>(state.get());
  Image* const image = Image::Find(code, __builtin_return_address(0));
  if (image != nullptr) {
    state = std::unique_ptr<std::thread::_State>(new StdState(image, state.release()));
  }
  RealStart(thread, std::move(state), depend);
}

}  // namespace

void AddThreads(Table* table) {
  table->Add("pthread_create", CreatePthread);
  table->Add("uv_thread_create", CreateUvThread);
  table->Add("uv_thread_create_ex", CreateUvThreadEx);
  table->Add(START_THREAD, StartStdThread);
}

}  // namespace napi_reload::interpose
