// Threads that reload an image together, end meanwhile, refuse, or come late: thread-barrier.sh
// builds it with -fsanitize=thread. Each thread has a queue for an event loop, and uses what a
// leader changes, without a mutex: the sanitizer tells of a thread that was not stopped.

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "../../native/thread_barrier.h"

namespace napi_reload {
namespace {

using std::chrono::milliseconds;

constexpr int kThreads = 6;
constexpr int kLives = 600;
constexpr milliseconds kBound{5};
// Whoever has none left goes on while the leader is still at work: an accident, and no test of it.
constexpr milliseconds kPatience{10'000};
constexpr ImageId kImage = 1;

std::atomic<int> committed{0};
std::atomic<int> refused{0};
std::atomic<int> late{0};

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::_Exit(1);
}

struct Letter {
  std::shared_ptr<Round> round;
  Summons summons;
};

class Queue {
 public:
  void Push(Letter letter) {
    std::lock_guard<std::mutex> lock(mutex_);
    letters_.push_back(std::move(letter));
  }
  bool Pop(Letter* letter) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (letters_.empty()) return false;
    *letter = std::move(letters_.front());
    letters_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<Letter> letters_;
};

class Loop {
 public:
  explicit Loop(unsigned seed) : random_(seed) {}

  // The life of one environment.
  void Run() {
    station_ = std::make_shared<Station>([this](const auto& round, Summons summons) {
      queue_.Push({round, summons});
    });
    auto seat = TakeSeat();
    const int steps = 20 + Pick(60);
    for (int step = 0; step < steps; ++step) {
      Work();
      Turn();
      if (Pick(4) == 0) Lead();
    }
    // Some end with the handle closed, others all at once.
    if (Pick(2) == 0) seat.reset();
    station_->Close();
    Letter letter;
    while (queue_.Pop(&letter)) {
    }
  }

 private:
  // As a handle joins an image: what is frozen is waited for.
  std::unique_ptr<Seat> TakeSeat() {
    for (;;) {
      auto seat = std::make_unique<Seat>(station_, "key");
      if (!MayJoin()) continue;
      seat->Take(kImage);
      Work();
      seat->Serve();
      return seat;
    }
  }

  static bool MayJoin() {
    std::lock_guard<std::mutex> lock(frozen_mutex_);
    return !frozen_;
  }

  static void Freeze(bool frozen) {
    std::lock_guard<std::mutex> lock(frozen_mutex_);
    frozen_ = frozen;
  }

  // Without a mutex: whoever changes it has stopped all others.
  static void Work() { Check(shared_ >= 0, "it is a count"); }

  int Pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  void Turn() {
    Letter letter;
    if (!queue_.Pop(&letter)) {
      std::this_thread::yield();
      return;
    }
    // A native call that takes its time.
    if (Pick(100) == 0) std::this_thread::sleep_for(kBound * 2);
    letter.round->Heard(station_);
    if (letter.summons == Summons::kEnd) return;
    if (letter.summons == Summons::kFollow) {
      if (Pick(40) == 0) return letter.round->Fail("it cannot be loaded");
      return letter.round->Ready(station_);
    }
    if (!letter.round->AwaitTurn(station_)) return;
    if (Pick(40) == 0) return letter.round->Fail("its init threw");
    const int before = shared_;
    if (letter.round->AwaitEnd(station_)) {
      Check(shared_ == before, "the leader is done when it is decided");
    }
  }

  void Lead() {
    RoundPlan plan;
    plan.leader = station_;
    plan.images = {kImage};
    plan.share_keys = {"key"};
    plan.patience = kPatience;
    plan.on_call = [](const Round&) { Freeze(true); };
    plan.on_end = [](const Round&, bool) { Freeze(false); };
    const auto round = Round::Begin(std::move(plan));
    if (round == nullptr) return;
    size_t missing = 0;
    for (;;) {
      const Outlook outlook = round->Call(kBound);
      // Its environment ends where it may.
      if (outlook.over || outlook.deaf > 0 || Pick(200) == 0) break;
      if (outlook.unready > 0) {
        std::this_thread::yield();
        continue;
      }
      const StopOutcome stopped = round->Stop(kBound, &missing);
      if (stopped == StopOutcome::kUnready || stopped == StopOutcome::kOther) continue;
      if (stopped != StopOutcome::kStopped) break;
      // All others are stopped: no mutex is needed for what they share.
      ++shared_;
      if (round->Decide(kBound, &missing)) {
        ++committed;
        return;
      }
      break;
    }
    late += static_cast<int>(missing);
    ++refused;
    round->End();
  }

  static int shared_;
  static std::mutex frozen_mutex_;
  static bool frozen_;
  std::mt19937 random_;
  StationPtr station_;
  Queue queue_;
};

int Loop::shared_ = 0;
std::mutex Loop::frozen_mutex_;
bool Loop::frozen_ = false;

void RunAll(unsigned seed) {
  for (int life = 0; life < kLives; ++life) {
    Loop loop(seed * 1000 + static_cast<unsigned>(life));
    loop.Run();
  }
}

}  // namespace
}  // namespace napi_reload

int main() {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < napi_reload::kThreads; ++thread) {
    threads.emplace_back(napi_reload::RunAll, static_cast<unsigned>(thread) + 1);
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("%d rounds, %d of them refused, %d threads late\n",
              napi_reload::committed + napi_reload::refused, napi_reload::refused.load(),
              napi_reload::late.load());
  napi_reload::Check(napi_reload::committed > 0, "rounds are committed");
  return 0;
}
