// driver <rounds> <folder> <addon>: the parts of the ledger that several threads use, without
// Node.js, for ThreadSanitizer: images and their registry, what threads of an addon hold, pins that
// go on other threads, the free list of slots.
//
// Each thread opens versions, lets the addon start threads in them, and ends them when the threads
// have gone, while the others look for its code. Images that threads share: ../image-threads.cc. No
// function of Node-API is called.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "../../../native/image.h"
#include "../../../native/rebind.h"
#include "../../../native/slots.h"
#include "../../../native/version.h"

namespace {

using napi_reload::Image;
using napi_reload::Slot;
using napi_reload::Version;
using Bytes = std::vector<char>;

constexpr int kThreads = 4;
constexpr int kSlots = 8;

std::atomic<int> next_file{0};
std::atomic<const void*> last_code{nullptr};
std::atomic<int> found{0};
std::atomic<int> released{0};

void Check(bool fact, const char* words) {
  if (fact) return;
  std::fprintf(stderr, "driver: %s\n", words);
  std::abort();
}

Bytes ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

std::string PathOf(const std::string& folder, int number) {
  return folder + "/" + std::to_string(number) + ".node";
}

void UseSlots(Version* version) {
  std::vector<Slot*> slots;
  for (int count = 0; count < kSlots; ++count) {
    slots.push_back(napi_reload::NewSlot(version->gate(), nullptr, nullptr, count % 2 == 0));
  }
  napi_reload::CountSlots();
  for (Slot* const slot : slots) napi_reload::FreeSlot(slot);
}

// As a call of pthread_create in the code of another thread's image would.
void FindAnother() {
  const void* const code = last_code.load();
  if (Image::Find(code, code) != nullptr) ++found;
}

void RunRound(const std::string& folder, const Bytes& addon) {
  const int number = ++next_file;
  napi_reload::ImageOptions options;
  options.staged = PathOf(folder, number);
  Bytes bytes = addon;
  Check(napi_reload::Rebind(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size(), {}).ok(),
        "the addon was not rebound");
  std::ofstream(options.staged, std::ios::binary)
      .write(bytes.data(), static_cast<long>(bytes.size()));
  const napi_reload::OpenResult opened = Image::Open(options);
  Image* const image = opened.image;
  Check(image != nullptr, opened.message.c_str());
  last_code = reinterpret_cast<const void*>(image->init());
  // Never used as one: it only tells versions apart.
  auto* const version = new Version(image, {}, reinterpret_cast<napi_env>(new char));
  version->SetReleaseListener([] { ++released; });
  image->init()(version->env(), nullptr);
  UseSlots(version);
  FindAnother();
  while (image->threads > 0 || image->thread_locals > 0) {
    version->Pins();
    std::this_thread::yield();
  }
  auto* const env = reinterpret_cast<char*>(version->env());
  delete version;
  delete env;
  // The version's, and the one that came with opening it.
  for (const bool is_last : {false, true}) {
    Check(image->Leave(is_last), "another thread holds the image");
    image->Release();
  }
  std::remove(options.staged.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const int rounds = std::atoi(arguments[1]);
  const std::string folder = arguments[2];
  const Bytes addon = ReadFile(arguments[3]);
  std::vector<std::thread> threads;
  for (int index = 0; index < kThreads; ++index) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) RunRound(folder, addon);
    });
  }
  for (std::thread& thread : threads) thread.join();
  // A thread of an addon that is on its way out still holds its image.
  while (Image::Count() > 0) std::this_thread::yield();
  std::printf("{\"versions\":%d,\"found\":%d,\"pinsReleased\":%d}\n", kThreads * rounds,
              found.load(), released.load());
  return released.load() > 0 ? 0 : 1;
}
