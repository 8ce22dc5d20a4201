// One reload for all threads that run an image: who takes part in it, and the barrier at which they
// go over together or not at all.
//
//   Round::Begin(leader, images)        one round at a time for each image
//   Call()         the leader, again and again until all others are ready
//   Heard() Ready()                     the others, from their event loops, when they have a new
//   version Stop()         the leader blocks until each of the others waits in AwaitTurn() Decide()
//   the others are let into AwaitEnd(), one after the other has done its part; then all go End()
//   the leader, whatever came of it
//
// 1. Whoever waits has a bound. Who is out of patience aborts the round for all; so nobody is left
//    behind by a leader that is stuck in its hooks.
// 2. Committed is final, and only Decide() commits: with all others in AwaitEnd().
// 3. A thread whose environment ends counts as gone, and takes the rounds that it leads with it.
// 4. One round at a time is between Stop() and its end: two threads that wait for each other at two
//    barriers would wait in vain. It is not waited for here, since who waits must be able to stop.
// 5. One mutex for all of it, and one condition. The mutex of the images (image.h) may be taken
//    under it, and never the other way round.
//
// Threads: any. A thread waits in the functions that say so, and nowhere else.

#ifndef NAPI_RELOAD_THREAD_BARRIER_H_
#define NAPI_RELOAD_THREAD_BARRIER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace napi_reload {

using ImageId = uint64_t;  // 0: none

struct Origin;

// What a thread is asked to do.
enum class Summons { kFollow, kStop, kEnd };

class Round;

// A thread, as long as its environment lives.
class Station {
 public:
  // Leaves a message for its event loop. Runs under the mutex, on any thread: it may not wait.
  using Post = std::function<void(const std::shared_ptr<Round>&, Summons)>;

  explicit Station(Post post) : post_(std::move(post)) {}
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  // Its environment ends. Nothing is posted from here on.
  void Close();

 private:
  friend class Round;

  Post post_;  // empty once it is closed
};

using StationPtr = std::shared_ptr<Station>;

// The place of a handle among those that run an image.
class Seat {
 public:
  // Of a handle that is about to join the image of this key, or to make it.
  Seat(StationPtr station, std::string share_key);
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat();

  void Take(ImageId image);
  // Its version serves: it has to come along when the image is replaced.
  void Serve();

 private:
  friend class Round;

  const StationPtr station_;
  const std::string share_key_;
  ImageId image_ = 0;
  bool serves_ = false;
};

// What is replaced, and by whom.
struct RoundPlan {
  StationPtr leader;
  std::vector<ImageId> images;
  std::vector<std::string> share_keys;    // of these
  std::chrono::milliseconds patience{0};  // of who waits for the leader
  // Both under the mutex. In each Call(): from the first on nobody is to join the images,
  // or what takes their place.
  std::function<void(const Round&)> on_call;
  // Once, by whoever ends the round: the images are replaced, or they stay.
  std::function<void(const Round&, bool committed)> on_end;
};

// What the leader has loaded in place of an image: all that it takes to stage it once more.
struct Offer {
  ImageId replaces = 0;
  std::string path;
  std::string hash;
  std::vector<std::string> libraries;
  std::shared_ptr<const Origin> origin;
  std::string note;  // from JavaScript to JavaScript
};

// How far the others have come.
struct Outlook {
  size_t deaf = 0;     // threads that have not heard of it in time
  size_t unready = 0;  // threads that are not ready, those among them
  bool over = false;   // aborted; `failure` says why if one of them said so
  std::string failure;
};

enum class StopOutcome { kStopped, kOther, kUnready, kMissing, kOver };

class Round : public std::enable_shared_from_this<Round> {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Null when one of the images has a round already.
  static std::shared_ptr<Round> Begin(RoundPlan plan);
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  uint64_t id() const { return id_; }
  const std::vector<ImageId>& images() const { return plan_.images; }
  bool Replaces(ImageId image) const;
  // What takes the place of these, of the leader's choice. For on_call and on_end alone.
  const std::vector<ImageId>& targets() const { return targets_; }

  // --- The leader.

  // Before the first Call(). Who runs the new image already has to stop, too.
  void AddOffer(Offer offer, ImageId target);
  // Asks whoever was not asked before. Who has not heard of it within the bound is deaf.
  Outlook Call(Milliseconds bound);
  // Waits until all others have stopped. `*missing` of them did not come within the bound, of
  // kMissing, which ends the round. kOther: another round is at its barrier; try again. kUnready:
  // somebody came meanwhile; call again.
  StopOutcome Stop(Milliseconds bound, size_t* missing);
  // Lets the others do their part, waits for them, and decides. False: it is over, and `*missing`
  // of them did not come within the bound.
  bool Decide(Milliseconds bound, size_t* missing);
  // Aborts it unless it is decided.
  void End();

  // --- The others.

  void Heard(const StationPtr& station);
  void Ready(const StationPtr& station);
  // Ends it for all.
  void Fail(const std::string& why);
  std::optional<Offer> FindOffer(ImageId replaces) const;
  // How many handles of the thread are about to serve one of the images.
  size_t CountArriving(const StationPtr& station) const;
  // Waits for the leader. False when it is over.
  bool AwaitTurn(const StationPtr& station);
  // The part of this thread is done: waits for the decision.
  bool AwaitEnd(const StationPtr& station);

  // Any: what Fail() was given.
  std::string failure() const;

 private:
  friend class Station;

  enum class Phase { kGathering, kStopping, kDeciding, kCommitted, kAborted };
  enum class Progress { kCalled, kHeard, kReady, kStopped, kJoined };
  using Clock = std::chrono::steady_clock;

  struct Member {
    StationPtr station;
    Progress progress;
    Clock::time_point called;
  };

  explicit Round(RoundPlan plan);

  // All of these with the mutex held.
  Member* Find(const StationPtr& station);
  void Advance(const StationPtr& station, Progress progress);
  void Summon();
  bool IsArriving(const Seat& seat) const;
  size_t CountArrivingAt(const Station* station) const;
  size_t CountBelow(Progress progress) const;
  void Finish(Phase phase);
  void Forget(const Station* station);

  const RoundPlan plan_;
  const uint64_t id_;
  std::vector<Offer> offers_;
  std::vector<ImageId> targets_;
  std::vector<Member> members_;
  Phase phase_ = Phase::kGathering;
  std::string failure_;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_THREAD_BARRIER_H_
