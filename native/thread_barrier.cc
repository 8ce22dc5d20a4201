#include "thread_barrier.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace napi_reload {
namespace {

// Lives for ever: a Worker may end after static destructors have run.
struct Floor {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Seat*> seats;
  std::vector<std::shared_ptr<Round>> rounds;  // that have not ended
  const Round* at_barrier = nullptr;
  uint64_t rounds_begun = 0;
};

Floor& floor() {
  static Floor* const floor = new Floor;
  return *floor;
}

using Lock = std::unique_lock<std::mutex>;

template <typename T, typename U>
bool Has(const std::vector<T>& all, const U& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

void Station::Close() {
  Lock lock(floor().mutex);
  post_ = nullptr;
  // A copy: a round that ends leaves the list.
  const auto rounds = floor().rounds;
  for (const auto& round : rounds) round->Forget(this);
  floor().changed.notify_all();
}

Seat::Seat(StationPtr station, std::string share_key)
    : station_(std::move(station)), share_key_(std::move(share_key)) {
  Lock lock(floor().mutex);
  floor().seats.push_back(this);
}

Seat::~Seat() {
  Lock lock(floor().mutex);
  auto& seats = floor().seats;
  seats.erase(std::find(seats.begin(), seats.end(), this));
}

void Seat::Take(ImageId image) {
  Lock lock(floor().mutex);
  image_ = image;
}

void Seat::Serve() {
  Lock lock(floor().mutex);
  serves_ = true;
}

Round::Round(RoundPlan plan) : plan_(std::move(plan)), id_(++floor().rounds_begun) {}

std::shared_ptr<Round> Round::Begin(RoundPlan plan) {
  Lock lock(floor().mutex);
  auto& rounds = floor().rounds;
  const bool is_taken = std::any_of(rounds.begin(), rounds.end(), [&plan](const auto& round) {
    return std::any_of(plan.images.begin(), plan.images.end(),
                       [&round](ImageId image) { return round->Replaces(image); });
  });
  if (is_taken) return nullptr;
  rounds.push_back(std::shared_ptr<Round>(new Round(std::move(plan))));
  return rounds.back();
}

bool Round::Replaces(ImageId image) const { return Has(plan_.images, image); }

void Round::AddOffer(Offer offer, ImageId target) {
  Lock lock(floor().mutex);
  offers_.push_back(std::move(offer));
  targets_.push_back(target);
}

std::optional<Offer> Round::FindOffer(ImageId replaces) const {
  Lock lock(floor().mutex);
  for (const Offer& offer : offers_) {
    if (offer.replaces == replaces) return offer;
  }
  return std::nullopt;
}

Outlook Round::Call(Milliseconds bound) {
  Lock lock(floor().mutex);
  Outlook outlook;
  outlook.over = phase_ == Phase::kAborted;
  outlook.failure = failure_;
  if (phase_ != Phase::kGathering) return outlook;
  if (plan_.on_call) plan_.on_call(*this);
  Summon();
  const auto now = Clock::now();
  for (const Member& member : members_) {
    const bool is_ready =
        member.progress >= Progress::kReady && CountArrivingAt(member.station.get()) == 0;
    if (member.progress == Progress::kCalled && now - member.called > bound) ++outlook.deaf;
    if (!is_ready) ++outlook.unready;
  }
  return outlook;
}

void Round::Summon() {
  for (const Seat* const seat : floor().seats) {
    const StationPtr& station = seat->station_;
    const bool is_in = IsArriving(*seat) || Replaces(seat->image_) || Has(targets_, seat->image_);
    if (!is_in || station == plan_.leader || !station->post_ || Find(station) != nullptr) continue;
    members_.push_back({station, Progress::kCalled, Clock::now()});
    station->post_(shared_from_this(), Summons::kFollow);
  }
}

StopOutcome Round::Stop(Milliseconds bound, size_t* missing) {
  Lock lock(floor().mutex);
  if (phase_ != Phase::kGathering) return StopOutcome::kOver;
  if (floor().at_barrier != nullptr) return StopOutcome::kOther;
  Summon();
  const bool is_ready = CountBelow(Progress::kReady) == 0 && CountArrivingAt(nullptr) == 0;
  if (!is_ready) return StopOutcome::kUnready;
  floor().at_barrier = this;
  phase_ = Phase::kStopping;
  for (const Member& member : members_) member.station->post_(shared_from_this(), Summons::kStop);
  floor().changed.wait_for(lock, bound, [this] {
    return phase_ != Phase::kStopping || CountBelow(Progress::kStopped) == 0;
  });
  if (phase_ != Phase::kStopping) return StopOutcome::kOver;
  *missing = CountBelow(Progress::kStopped);
  if (*missing == 0) return StopOutcome::kStopped;
  Finish(Phase::kAborted);
  return StopOutcome::kMissing;
}

bool Round::Decide(Milliseconds bound, size_t* missing) {
  Lock lock(floor().mutex);
  *missing = 0;
  if (phase_ == Phase::kStopping) {
    phase_ = Phase::kDeciding;
    floor().changed.notify_all();
    floor().changed.wait_for(lock, bound, [this] {
      return phase_ != Phase::kDeciding || CountBelow(Progress::kJoined) == 0;
    });
  }
  if (failure_.empty()) *missing = CountBelow(Progress::kJoined);
  const bool commits = phase_ == Phase::kDeciding && *missing == 0;
  Finish(commits ? Phase::kCommitted : Phase::kAborted);
  return commits;
}

void Round::End() {
  Lock lock(floor().mutex);
  Finish(Phase::kAborted);
}

// Does nothing when it is decided.
void Round::Finish(Phase phase) {
  if (phase_ == Phase::kCommitted || phase_ == Phase::kAborted) return;
  phase_ = phase;
  const auto self = shared_from_this();
  auto& rounds = floor().rounds;
  rounds.erase(std::find(rounds.begin(), rounds.end(), self));
  if (floor().at_barrier == this) floor().at_barrier = nullptr;
  if (plan_.on_end) plan_.on_end(*this, phase == Phase::kCommitted);
  if (phase == Phase::kAborted) {
    for (const Member& member : members_) {
      if (member.station->post_) member.station->post_(self, Summons::kEnd);
    }
  }
  floor().changed.notify_all();
}

void Round::Forget(const Station* station) {
  members_.erase(
      std::remove_if(members_.begin(), members_.end(),
                     [station](const Member& member) { return member.station.get() == station; }),
      members_.end());
  if (plan_.leader.get() == station) Finish(Phase::kAborted);
}

Round::Member* Round::Find(const StationPtr& station) {
  const auto found =
      std::find_if(members_.begin(), members_.end(),
                   [&station](const Member& member) { return member.station == station; });
  return found == members_.end() ? nullptr : &*found;
}

void Round::Advance(const StationPtr& station, Progress progress) {
  Member* const member = Find(station);
  if (member == nullptr || member->progress >= progress) return;
  member->progress = progress;
  floor().changed.notify_all();
}

void Round::Heard(const StationPtr& station) {
  Lock lock(floor().mutex);
  Advance(station, Progress::kHeard);
}

void Round::Ready(const StationPtr& station) {
  Lock lock(floor().mutex);
  Advance(station, Progress::kReady);
}

void Round::Fail(const std::string& why) {
  Lock lock(floor().mutex);
  if (phase_ == Phase::kCommitted || phase_ == Phase::kAborted) return;
  failure_ = why;
  Finish(Phase::kAborted);
}

// Who is between asking for the image and having it is known by the key alone.
bool Round::IsArriving(const Seat& seat) const {
  if (seat.serves_ || !seat.station_->post_) return false;
  return seat.image_ == 0 ? Has(plan_.share_keys, seat.share_key_) : Replaces(seat.image_);
}

size_t Round::CountArrivingAt(const Station* station) const {
  const auto& seats = floor().seats;
  return static_cast<size_t>(std::count_if(seats.begin(), seats.end(), [&](const Seat* seat) {
    return (station == nullptr || seat->station_.get() == station) && IsArriving(*seat);
  }));
}

size_t Round::CountArriving(const StationPtr& station) const {
  Lock lock(floor().mutex);
  return CountArrivingAt(station.get());
}

size_t Round::CountBelow(Progress progress) const {
  return static_cast<size_t>(
      std::count_if(members_.begin(), members_.end(),
                    [progress](const Member& member) { return member.progress < progress; }));
}

bool Round::AwaitTurn(const StationPtr& station) {
  Lock lock(floor().mutex);
  Advance(station, Progress::kStopped);
  const bool in_time =
      floor().changed.wait_for(lock, plan_.patience, [this] { return phase_ != Phase::kStopping; });
  if (!in_time) Finish(Phase::kAborted);
  return phase_ == Phase::kDeciding;
}

bool Round::AwaitEnd(const StationPtr& station) {
  Lock lock(floor().mutex);
  Advance(station, Progress::kJoined);
  const bool in_time =
      floor().changed.wait_for(lock, plan_.patience, [this] { return phase_ != Phase::kDeciding; });
  if (!in_time) Finish(Phase::kAborted);
  return phase_ == Phase::kCommitted;
}

std::string Round::failure() const {
  Lock lock(floor().mutex);
  return failure_;
}

}  // namespace napi_reload
