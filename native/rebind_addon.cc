#include "rebind_addon.h"

#include <unistd.h>

#include <atomic>
#include <map>
#include <utility>

#include "elf.h"
#include "rebind.h"

namespace napi_reload {
namespace {

// Digits of a name that tell versions apart.
constexpr size_t kTagDigits = 4;
constexpr uint32_t kTagBase = 36;
constexpr uint32_t kTagsMax = kTagBase * kTagBase * kTagBase * kTagBase;
// In DT_NEEDED the loader expands it, whatever the run path of the image is.
constexpr char kOrigin[] = "$ORIGIN/";

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// A name of equal length that this process never used; empty when there is none.
std::string FreshName(const std::string& name) {
  static std::atomic<uint32_t> next{0};
  if (name.size() <= kTagDigits) return "";
  uint32_t tag = next.fetch_add(1);
  // A name that comes again would be taken for the library of a version that has it.
  if (tag >= kTagsMax) {
    next = kTagsMax;
    return "";
  }
  std::string fresh = name;
  for (size_t digit = 1; digit <= kTagDigits; ++digit, tag /= kTagBase) {
    fresh[fresh.size() - digit] = "0123456789abcdefghijklmnopqrstuvwxyz"[tag % kTagBase];
  }
  return fresh;
}

struct Renamed {
  std::string shortest;  // of the names that it goes by; every string of them has room for that
  std::string fresh;
  size_t order = 0;
  bool has_soname = false;
};

class AddonRebinder {
 public:
  AddonRebinder(Closure closure, const WriteLibrary& write)
      : closure_(std::move(closure)), write_(write) {}

  RebindAddonResult Run(uint8_t* data, size_t size) {
    if (!closure_.refusal.empty()) return Refused{closure_.refusal};
    if (auto refused = NameLibraries()) return std::move(*refused);
    for (PrivateLibrary& library : closure_.libraries) {
      auto result = RebindLibrary(&library);
      if (std::holds_alternative<Rebound>(result)) continue;
      RemoveFiles(rebound_.libraries);
      return result;
    }
    RebindOptions options;
    FollowNeeds(closure_.needs, closure_.libraries.size(), &options);
    RebindResult result = Rebind(data, size, options);
    if (!result.ok()) {
      RemoveFiles(rebound_.libraries);
      return Refused{result.refusal};
    }
    Merge(result);
    origin_.addon = std::move(result.overwritten);
    origin_.closure = std::move(closure_);
    rebound_.origin = std::make_shared<const Origin>(std::move(origin_));
    return std::move(rebound_);
  }

 private:
  std::optional<Refused> NameLibraries() {
    size_t order = 0;
    for (const PrivateLibrary& library : closure_.libraries) {
      Renamed& renamed = names_[library.identity];
      renamed.order = order++;
      elf::Image image;
      if (!elf::Image::Parse(library.bytes.data(), library.bytes.size(), &image).ok()) continue;
      const auto soname = image.FindDynamicString(DT_SONAME);
      renamed.has_soname = soname.has_value();
      if (soname) GoesBy(std::string(*soname), &renamed);
    }
    NameNeeds(closure_.needs);
    for (const PrivateLibrary& library : closure_.libraries) NameNeeds(library.needs);
    for (const PrivateLibrary& library : closure_.libraries) {
      Renamed& renamed = names_[library.identity];
      renamed.fresh = FreshName(renamed.shortest);
      if (renamed.fresh.empty()) return RefusalOf(library, "it can't get a name of its own");
    }
    return std::nullopt;
  }

  void NameNeeds(const std::vector<Need>& needs) {
    for (const Need& need : needs) GoesBy(BaseName(need.name), &names_[need.identity]);
  }

  static void GoesBy(const std::string& name, Renamed* renamed) {
    const bool is_shorter = renamed->shortest.empty() || name.size() < renamed->shortest.size();
    if (is_shorter) renamed->shortest = name;
  }

  RebindAddonResult RebindLibrary(PrivateLibrary* library) {
    const Renamed& renamed = names_[library->identity];
    RebindOptions options;
    options.soname = renamed.fresh;
    FollowNeeds(library->needs, renamed.order, &options);
    RebindResult result = Rebind(library->bytes.data(), library->bytes.size(), options);
    if (!result.ok()) return RefusalOf(*library, result.refusal);
    Merge(result);
    auto written = write_(renamed.fresh, library->bytes);
    if (auto* failure = std::get_if<IoFailure>(&written)) return std::move(*failure);
    rebound_.libraries.push_back(std::move(std::get<std::string>(written)));
    origin_.libraries.push_back(std::move(result.overwritten));
    library->bytes = {};  // they may be many, and the rest of it is kept
    return Rebound{};
  }

  // What the image at this place of the order calls its libraries from now on.
  void FollowNeeds(const std::vector<Need>& needs, size_t order, RebindOptions* options) {
    for (const Need& need : needs) {
      const Renamed& library = names_[need.identity];
      const bool is_path = need.name.find('/') != std::string::npos;
      options->libraries[need.name] = (is_path ? kOrigin : "") + library.fresh;
      // The loader knows one by its DT_SONAME that is open already. Any other it has to find.
      if (!is_path && (!library.has_soname || library.order >= order))
        options->search_origin = true;
    }
  }

  static Refused RefusalOf(const PrivateLibrary& library, const std::string& reason) {
    return {"its private library " + library.source + " can't be followed: " + reason};
  }

  void Merge(const RebindResult& one) {
    rebound_.unique_healed += one.unique_healed;
    rebound_.uses_uv |= one.uses_uv;
    rebound_.uses_uv_requests |= one.uses_uv_requests;
  }

  Closure closure_;
  const WriteLibrary& write_;
  std::map<std::string, Renamed> names_;  // by identity
  Rebound rebound_;
  Origin origin_;
};

}  // namespace

RebindAddonResult RebindAddon(Closure closure, const WriteLibrary& write, uint8_t* data,
                              size_t size) {
  return AddonRebinder(std::move(closure), write).Run(data, size);
}

void RemoveFiles(const std::vector<std::string>& paths) {
  for (const auto& path : paths) unlink(path.c_str());
}

}  // namespace napi_reload
