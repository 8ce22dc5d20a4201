// Lifetimes: what an env has for rounds is deleted with its thread-safe function. Its hook, which
// runs before that, closes its station: from there on nobody posts to it.

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "binding_ledger.h"
#include "binding_values.h"
#include "image.h"
#include "thread_barrier.h"
#include "version.h"

namespace napi_reload {
namespace {

using RoundPtr = std::shared_ptr<Round>;

struct Threads {
  StationPtr station;
  napi_threadsafe_function post = nullptr;
  Napi::FunctionReference on_summons;
};

struct Letter {
  RoundPtr round;
  Summons summons;
};

Threads* ThreadsOf(const Napi::CallbackInfo& info) { return static_cast<Threads*>(info.Data()); }

RoundPtr ReadRound(const Napi::CallbackInfo& info) {
  RoundPtr round = RoundOf(info[0]);
  if (round == nullptr) Throw(info.Env(), "the handle is not one that this function takes");
  return round;
}

std::chrono::milliseconds ReadMs(Napi::Value value) {
  return std::chrono::milliseconds(value.IsNumber() ? value.As<Napi::Number>().Int64Value() : 0);
}

Napi::Value ToHandle(Napi::Env env, RoundPtr round) {
  auto result = Napi::Object::New(env);
  result["id"] = static_cast<double>(round->id());
  result["handle"] = MakeHandle(env, std::move(round), kRoundTag);
  return result;
}

// Runs on the event loop; `env` is null when it has ended.
void Deliver(napi_env env, napi_value, void* context, void* data) {
  static constexpr const char* kSummons[] = {"follow", "stop", "end"};
  const std::unique_ptr<Letter> letter(static_cast<Letter*>(data));
  if (env == nullptr || !CanRunJs(env)) return;
  auto* const threads = static_cast<Threads*>(context);
  letter->round->Heard(threads->station);
  if (threads->on_summons.IsEmpty()) return;
  const Napi::Value round = ToHandle(env, letter->round);
  const auto summons = Napi::String::New(env, kSummons[static_cast<size_t>(letter->summons)]);
  const napi_value arguments[] = {round, summons};
  napi_value receiver;
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, threads->on_summons.Value(), 2, arguments, nullptr);
}

void CloseStation(void* data) { static_cast<Threads*>(data)->station->Close(); }

Threads* NewThreads(Napi::Env env) {
  auto* const threads = new Threads;
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<Threads*>(hint); };
  const auto name = Napi::String::New(env, "napi-reload:threads");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, finalize, threads,
                                      Deliver, &threads->post) != napi_ok) {
    delete threads;
    return nullptr;
  }
  // Who waits for the reloads of others must not keep the thread alive.
  napi_unref_threadsafe_function(env, threads->post);
  threads->station =
      std::make_shared<Station>([post = threads->post](const RoundPtr& round, Summons summons) {
        auto letter = std::make_unique<Letter>(Letter{round, summons});
        if (napi_call_threadsafe_function(post, letter.get(), napi_tsfn_nonblocking) == napi_ok) {
          letter.release();
        }
      });
  napi_add_env_cleanup_hook(env, CloseStation, threads);
  return threads;
}

// onSummons(listener): calls it from the event loop with a round and what is asked for. The last
// one given counts.
void OnSummons(const Napi::CallbackInfo& info) {
  ThreadsOf(info)->on_summons = Napi::Persistent(info[0].As<Napi::Function>());
}

// roundBegin(versions, patienceMs): a round, or null when one of their images has one.
Napi::Value RoundBegin(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  RoundPlan plan;
  plan.leader = ThreadsOf(info)->station;
  plan.patience = ReadMs(info[1]);
  for (const napi_value value : ReadArray(env, info[0])) {
    const Version* const version = VersionOf(Napi::Value(env, value));
    if (version == nullptr) return env.Null();
    plan.images.push_back(version->image()->id());
    plan.share_keys.push_back(version->image()->options().share_key);
  }
  plan.on_call = [](const Round& round) {
    Image::Freeze(round.images());
    Image::Freeze(round.targets());
  };
  plan.on_end = [](const Round& round, bool committed) {
    Image::EndRound(round.id(), round.images(), round.targets(), committed);
  };
  RoundPtr round = Round::Begin(std::move(plan));
  return round == nullptr ? env.Null() : ToHandle(env, std::move(round));
}

// roundOffer(round, from, to, kept, note)
void RoundOffer(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  const Version* const from = VersionOf(info[1]);
  const Version* const to = VersionOf(info[2]);
  auto kept = ReadKept(info[3]);
  if (round == nullptr || from == nullptr || to == nullptr || !kept) return;
  Offer offer;
  offer.replaces = from->image()->id();
  offer.path = std::move(kept->path);
  offer.hash = std::move(kept->hash);
  offer.libraries = std::move(kept->libraries);
  offer.origin = std::move(kept->origin);
  offer.note = ReadText(info[4]);
  round->AddOffer(std::move(offer), to->image()->id());
}

// roundOfferFor(round, version): { kept, note }, or null where its image stays.
Napi::Value RoundOfferFor(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const RoundPtr round = ReadRound(info);
  const Version* const version = VersionOf(info[1]);
  if (round == nullptr || version == nullptr) return env.Null();
  const auto offer = round->FindOffer(version->image()->id());
  if (!offer) return env.Null();
  auto kept = Napi::Object::New(env);
  kept["path"] = offer->path;
  kept["hash"] = offer->hash;
  kept["libraries"] = ToArray(env, offer->libraries);
  kept["origin"] = MakeHandle(env, offer->origin, kOriginTag);
  auto result = Napi::Object::New(env);
  result["kept"] = kept;
  result["note"] = offer->note;
  return result;
}

// roundCall(round, boundMs): { deaf, unready, over, failure }. From the first call on nobody joins.
Napi::Value RoundCall(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const RoundPtr round = ReadRound(info);
  if (round == nullptr) return env.Undefined();
  const Outlook outlook = round->Call(ReadMs(info[1]));
  auto result = Napi::Object::New(env);
  result["deaf"] = static_cast<double>(outlook.deaf);
  result["unready"] = static_cast<double>(outlook.unready);
  result["over"] = outlook.over;
  result["failure"] = outlook.failure;
  return result;
}

// roundStop(round, boundMs): { outcome, missing, failure }
Napi::Value RoundStop(const Napi::CallbackInfo& info) {
  static constexpr const char* kOutcomes[] = {"stopped", "other", "unready", "missing", "over"};
  const auto env = info.Env();
  const RoundPtr round = ReadRound(info);
  if (round == nullptr) return env.Undefined();
  size_t missing = 0;
  const StopOutcome outcome = round->Stop(ReadMs(info[1]), &missing);
  auto result = Napi::Object::New(env);
  result["outcome"] = kOutcomes[static_cast<size_t>(outcome)];
  result["missing"] = static_cast<double>(missing);
  result["failure"] = round->failure();
  return result;
}

// roundDecide(round, boundMs): { committed, missing, failure }
Napi::Value RoundDecide(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const RoundPtr round = ReadRound(info);
  if (round == nullptr) return env.Undefined();
  size_t missing = 0;
  const bool committed = round->Decide(ReadMs(info[1]), &missing);
  auto result = Napi::Object::New(env);
  result["committed"] = committed;
  result["missing"] = static_cast<double>(missing);
  result["failure"] = round->failure();
  return result;
}

// roundEnd(round): aborts it unless it is decided.
void RoundEnd(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  if (round != nullptr) round->End();
}

// roundReady(round): this thread has its new versions.
void RoundReady(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  if (round != nullptr) round->Ready(ThreadsOf(info)->station);
}

// roundFail(round, why): it ends for all.
void RoundFail(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  if (round != nullptr) round->Fail(ReadText(info[1]));
}

// roundArriving(round): how many handles of this thread are about to serve one of its images.
Napi::Value RoundArriving(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  if (round == nullptr) return info.Env().Undefined();
  const size_t count = round->CountArriving(ThreadsOf(info)->station);
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

// roundTurn(round): blocks until the leader lets the others do their part; false when it is over.
Napi::Value RoundTurn(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  if (round == nullptr) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), round->AwaitTurn(ThreadsOf(info)->station));
}

// roundJoin(round): blocks until it is decided; whether all go over.
Napi::Value RoundJoin(const Napi::CallbackInfo& info) {
  const RoundPtr round = ReadRound(info);
  if (round == nullptr) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), round->AwaitEnd(ThreadsOf(info)->station));
}

}  // namespace

RoundPtr RoundOf(Napi::Value handle) {
  if (!handle.IsObject() || !handle.As<Napi::Object>().CheckTypeTag(&kRoundTag)) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(handle.Env(), handle, &data) != napi_ok) return nullptr;
  return *static_cast<RoundPtr*>(data);
}

StationPtr AddThreads(Napi::Env env, Napi::Object exports) {
  Threads* const threads = NewThreads(env);
  if (threads == nullptr) {
    Throw(env, "reloads of all threads cannot be set up");
    return nullptr;
  }
  const auto add = [&](const char* name, auto function) {
    exports[name] = Napi::Function::New(env, function, name, threads);
  };
  add("onSummons", OnSummons);
  add("roundBegin", RoundBegin);
  add("roundOffer", RoundOffer);
  add("roundOfferFor", RoundOfferFor);
  add("roundCall", RoundCall);
  add("roundStop", RoundStop);
  add("roundDecide", RoundDecide);
  add("roundEnd", RoundEnd);
  add("roundReady", RoundReady);
  add("roundFail", RoundFail);
  add("roundArriving", RoundArriving);
  add("roundTurn", RoundTurn);
  add("roundJoin", RoundJoin);
  return threads->station;
}

}  // namespace napi_reload
