#include "holdings.h"

#include <sys/mman.h>

#include <mutex>
#include <new>
#include <utility>

namespace napi_reload {
namespace {

// 4 GiB of addresses, of which only those in use get memory: some 40 million holdings.
constexpr size_t kReservedBytes = size_t{4} << 30;

struct FreeCell {
  FreeCell* next;
};

// The one arena. It lives for ever: finalizers run as late as the process has an isolate.
struct Arena {
  std::mutex mutex;
  char* begin = nullptr;
  char* used_end = nullptr;
  FreeCell* free = nullptr;
  size_t count = 0;

  Arena() {
    void* const memory = mmap(nullptr, kReservedBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) begin = used_end = static_cast<char*>(memory);
  }
};

Arena& arena() {
  static Arena* const arena = new Arena;
  return *arena;
}

void* Allocate() {
  Arena& from = arena();
  std::lock_guard<std::mutex> lock(from.mutex);
  if (from.begin == nullptr) return nullptr;
  if (from.free != nullptr) {
    ++from.count;
    return std::exchange(from.free, from.free->next);
  }
  if (static_cast<size_t>(from.used_end - from.begin) + sizeof(Holding) > kReservedBytes) {
    return nullptr;
  }
  ++from.count;
  return std::exchange(from.used_end, from.used_end + sizeof(Holding));
}

void Free(Holding* holding) {
  holding->~Holding();
  Arena& to = arena();
  std::lock_guard<std::mutex> lock(to.mutex);
  to.free = new (holding) FreeCell{to.free};
  --to.count;
}

// Externals of this thread whose version has ended, and that JavaScript may hold.
thread_local List<Holding> ended_externals;

bool IsExternal(HoldingKind kind) {
  return kind == HoldingKind::kExternal || kind == HoldingKind::kFunctionData;
}

bool IsAt(napi_env env, const Holding* holding, napi_value external, const void* data) {
  napi_value value = nullptr;
  if (holding->data != data || holding->real == nullptr ||
      napi_get_reference_value(env, holding->real, &value) != napi_ok || value == nullptr) {
    return false;
  }
  bool is_same = false;
  // While an exception is pending nothing can be compared.
  return napi_strict_equals(env, value, external, &is_same) != napi_ok || is_same;
}

bool PinOf(HoldingKind kind, PinKind* pin) {
  switch (kind) {
    case HoldingKind::kWrap:
      *pin = PinKind::kWrappedObject;
      return true;
    case HoldingKind::kExternal:
      *pin = PinKind::kExternal;
      return true;
    case HoldingKind::kBuffer:
      *pin = PinKind::kExternalBuffer;
      return true;
    case HoldingKind::kString:
      *pin = PinKind::kExternalString;
      return true;
    case HoldingKind::kPosted:
      *pin = PinKind::kPostedFinalizer;
      return true;
    case HoldingKind::kFinalizer:
    case HoldingKind::kFunctionData:
    case HoldingKind::kMoved:
      return false;
  }
  return false;
}

// Out of the ledger; Node may still come back to it.
void Orphan(Holding* holding) {
  Version* const version = std::exchange(holding->version, nullptr);
  if (version == nullptr) return;
  holding->Unlink();
  if (holding->older != nullptr) holding->older->newer = holding->newer;
  if (holding->newer != nullptr) holding->newer->older = holding->older;
  holding->older = holding->newer = nullptr;
  PinKind pin;
  if (PinOf(holding->kind, &pin)) version->Unpinned(pin, holding->bytes);
}

void CallFinalizer(napi_env env, Holding* holding) {
  const napi_finalize finalize = std::exchange(holding->finalize, nullptr);
  if (finalize == nullptr) return;
  holding->finalizing = true;
  if (holding->version != nullptr) {
    Entry entry(holding->version);
    finalize(env, holding->data, holding->hint);
  } else if (holding->image != nullptr) {
    finalize(env, holding->data, holding->hint);
    std::exchange(holding->image, nullptr)->Release();
  }
  holding->finalizing = false;
}

// Before the finalizer runs: it may delete the reference, which Node's object would still point to.
void Unwrap(napi_env env, const Holding* holding) {
  const napi_ref real = holding->reference != nullptr ? holding->reference->real : holding->real;
  napi_value object = nullptr;
  if (real == nullptr || napi_get_reference_value(env, real, &object) != napi_ok) return;
  if (object != nullptr) napi_remove_wrap(env, object, nullptr);
}

}  // namespace

Holding* NewHolding(Version* version, HoldingKind kind, napi_finalize finalize, void* data,
                    void* hint, size_t bytes) {
  void* const memory = Allocate();
  if (memory == nullptr) return nullptr;
  auto* const holding = new (memory) Holding;
  holding->version = version;
  holding->kind = kind;
  holding->finalize = finalize;
  holding->data = data;
  holding->hint = hint;
  holding->bytes = bytes;
  version->holdings.PushFront(holding);
  PinKind pin;
  if (PinOf(kind, &pin)) version->Pinned(pin, bytes);
  return holding;
}

void FreeHolding(Holding* holding) {
  Orphan(holding);
  holding->Unlink();
  if (holding->reference != nullptr) holding->reference->holding = nullptr;
  Free(holding);
}

Holding* HoldingAt(void* pointer) {
  const Arena& from = arena();
  const auto* const address = static_cast<const char*>(pointer);
  if (address < from.begin || address >= from.begin + kReservedBytes) return nullptr;
  if (static_cast<size_t>(address - from.begin) % sizeof(Holding) != 0) return nullptr;
  return static_cast<Holding*>(pointer);
}

Holding* FindExternal(napi_env env, const Version* version, napi_value value, const void* data) {
  const List<Holding>& holdings = version->holdings;
  // The last that was made is the first.
  for (Holding* one = holdings.front(); one != nullptr; one = holdings.After(one)) {
    if (IsExternal(one->kind) && IsAt(env, one, value, data)) return one;
  }
  return nullptr;
}

bool HasEnded(napi_env env, napi_value external, const void* data) {
  const List<Holding>& ended = ended_externals;
  for (const Holding* one = ended.front(); one != nullptr; one = ended.After(one)) {
    if (IsAt(env, one, external, data)) return true;
  }
  return false;
}

void TieToFunction(Holding* holding) {
  if (holding->version == nullptr || holding->kind != HoldingKind::kExternal) return;
  holding->kind = HoldingKind::kFunctionData;
  holding->version->Unpinned(PinKind::kExternal, holding->bytes);
}

void OnFinalize(napi_env env, void*, void* hint) {
  auto* const holding = static_cast<Holding*>(hint);
  CallFinalizer(env, holding);
  if (holding->real != nullptr) napi_delete_reference(env, holding->real);
  FreeHolding(holding);
}

void ReleaseHolding(Holding* holding) {
  const napi_env env = holding->version->env();
  const HoldingKind kind = holding->kind;
  if (kind == HoldingKind::kWrap) Unwrap(env, holding);
  CallFinalizer(env, holding);
  const bool is_on_object = kind == HoldingKind::kWrap || kind == HoldingKind::kFinalizer;
  if (!is_on_object && kind != HoldingKind::kMoved) {
    // Node has no way to take it back: it stays as an orphan until its object is collected.
    Orphan(holding);
    if (IsExternal(kind)) ended_externals.PushFront(holding);
    return;
  }
  // Without its reference Node has forgotten the finalizer.
  Reference* const reference = holding->reference;
  const napi_ref real = reference != nullptr ? reference->real : holding->real;
  if (real != nullptr) napi_delete_reference(env, real);
  if (reference != nullptr) reference->real = nullptr;
  FreeHolding(holding);
}

void LeaveBehind(Holding* holding) {
  if (holding->kind == HoldingKind::kString && holding->finalize != nullptr) {
    holding->image = holding->version->image();
    holding->image->Acquire();
  } else {
    holding->finalize = nullptr;
  }
  holding->reference = nullptr;
  Orphan(holding);
}

size_t CountHoldings() {
  Arena& from = arena();
  std::lock_guard<std::mutex> lock(from.mutex);
  return from.count;
}

}  // namespace napi_reload
