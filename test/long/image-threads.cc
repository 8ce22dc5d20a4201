// Threads that open, join, replace and leave one image, and threads of its code that end meanwhile:
// image-threads.sh builds it with -fsanitize=thread. Arguments: an addon, and a folder of mode 0700
// to stage copies in.

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "../../native/image.h"
#include "../../native/version.h"

namespace napi_reload {

// A watcher that is told after it was removed would write to what its thread has left.
void Version::PostRelease() { ++*reinterpret_cast<int*>(this); }

namespace {

constexpr int kThreads = 6;
constexpr int kRounds = 400;
constexpr int kCodeThreads = 3;

std::atomic<uint64_t> rounds{0};

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::_Exit(1);
}

void Use(Image* image) {
  int told = 0;
  auto* const watcher = reinterpret_cast<Version*>(&told);
  image->AddWatcher(watcher);
  std::vector<std::thread> threads;
  for (int count = 0; count < kCodeThreads; ++count) {
    image->Acquire();
    image->threads.fetch_add(1);
    threads.emplace_back([image] { image->ReleaseCounted(&image->threads); });
  }
  const std::vector<uint64_t> replaced = {image->id()};
  Image::Freeze(replaced);
  Image::EndRound(++rounds, replaced, {}, image->holders() % 2 == 0);
  image->RemoveWatcher(watcher);
  while (!image->Leave(false)) {
    if (image->threads.load() == 0 && image->Leave(true)) break;
  }
  image->Release();
  for (std::thread& thread : threads) thread.join();
}

void Run(const std::string& folder, const std::string& addon, int thread) {
  for (int round = 0; round < kRounds; ++round) {
    ImageOptions options;
    options.staged = folder + "/" + std::to_string(thread) + "-" + std::to_string(round) + ".node";
    options.share_key = "one";
    options.fresh = round % 7 == 0;
    if (options.fresh) options.round = ++rounds;
    // Of another name for the same file the loader makes no other image.
    std::filesystem::copy_file(addon, options.staged);
    OpenResult opened = Image::Open(options);
    while (opened.failure == OpenFailure::kBusy) opened = Image::Open(options);
    if (opened.image == nullptr) std::fprintf(stderr, "%s\n", opened.message.c_str());
    Check(opened.image != nullptr, "the image is open");
    if (options.fresh) Image::EndRound(options.round, {}, {}, true);
    Use(opened.image);
    unlink(options.staged.c_str());
  }
}

}  // namespace
}  // namespace napi_reload

int main(int, char** arguments) {
  const std::string folder = arguments[2];
  std::vector<std::thread> threads;
  for (int thread = 0; thread < napi_reload::kThreads; ++thread) {
    threads.emplace_back(napi_reload::Run, folder, arguments[1], thread);
  }
  for (std::thread& thread : threads) thread.join();
  napi_reload::Check(napi_reload::Image::Count() == 0, "every image is closed");
  std::puts("well");
  return 0;
}
