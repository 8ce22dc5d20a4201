#include "private_libraries.h"

#include <optional>
#include <set>
#include <utility>

#include "elf.h"
#include "hash.h"
#include "run_path.h"

namespace napi_reload {
namespace {

// A closure of private libraries is small; more is a mistake. It bounds the depth, too.
constexpr size_t kLibrariesMax = 64;
// Paths that one addon makes us look at, and watch.
constexpr size_t kLookedMax = 4096;

class Finder {
 public:
  std::variant<Closure, Unusable> Run(const std::string& source, const uint8_t* data, size_t size) {
    if (auto unusable = Visit(source, data, size, {}, &closure_.needs)) return std::move(*unusable);
    return std::move(closure_);
  }

 private:
  // Looks through one image, found at `path`, and adds the libraries below it.
  std::optional<Unusable> Visit(const std::string& path, const uint8_t* data, size_t size,
                                const std::vector<std::string>& inherited,
                                std::vector<Need>* needs) {
    elf::Image image;
    if (!elf::Image::Parse(data, size, &image).ok()) return std::nullopt;
    const RunPath run_path = ReadRunPath(image, path, inherited);
    for (size_t index = 0; index < image.dynamic_count() && closure_.refusal.empty(); ++index) {
      const auto entry = image.DynamicAt(index);
      if (!entry || entry->tag != DT_NEEDED) continue;
      const auto name = image.StringAt(entry->value);
      if (!name) continue;
      const std::string found = FindPrivate(std::string(*name), run_path, &closure_.looked);
      if (closure_.looked.size() > kLookedMax) Refuse("its libraries may be in too many places");
      if (found.empty()) continue;
      std::string identity;
      if (auto unusable = Add(found, run_path.passed_on, &identity)) return unusable;
      needs->push_back({std::string(*name), std::move(identity)});
    }
    return std::nullopt;
  }

  // Adds a library once, whatever paths lead to it, after those that it needs.
  std::optional<Unusable> Add(const std::string& path, const std::vector<std::string>& inherited,
                              std::string* identity) {
    auto opened = SourceFile::Open(path);
    const auto* const file = std::get_if<SourceFile>(&opened);
    if (file == nullptr) return std::move(std::get<Unusable>(opened));
    *identity = file->Identity();
    // Before it is visited, so that a cycle ends.
    if (!seen_.insert(*identity).second) return std::nullopt;
    if (seen_.size() > kLibrariesMax) {
      Refuse("it has more than " + std::to_string(kLibrariesMax) +
             " private libraries, of which one is " + path);
      return std::nullopt;
    }
    auto read = file->Read();
    auto* const bytes = std::get_if<SourceFile::Bytes>(&read);
    if (bytes == nullptr) return std::move(std::get<Unusable>(read));
    PrivateLibrary library;
    library.source = RealPath(path);
    library.identity = *identity;
    library.mtime_ms = file->mtime_ms();
    library.bytes = std::move(*bytes);
    Sha256 hash;
    hash.Update(library.bytes.data(), library.bytes.size());
    library.hash = hash.FinishHex();
    closure_.looked.push_back(library.source);
    if (auto unusable =
            Visit(path, library.bytes.data(), library.bytes.size(), inherited, &library.needs)) {
      return unusable;
    }
    closure_.libraries.push_back(std::move(library));
    return std::nullopt;
  }

  void Refuse(std::string reason) {
    if (closure_.refusal.empty()) closure_.refusal = std::move(reason);
  }

  Closure closure_;
  std::set<std::string> seen_;  // identities
};

}  // namespace

std::variant<Closure, Unusable> FindPrivateLibraries(const std::string& source, const uint8_t* data,
                                                     size_t size) {
  return Finder().Run(source, data, size);
}

std::string Fingerprint(const std::string& addon_hash,
                        const std::vector<PrivateLibrary>& libraries) {
  if (libraries.empty()) return addon_hash;
  Sha256 all;
  const auto add = [&all](const std::string& hash) {
    all.Update(reinterpret_cast<const uint8_t*>(hash.data()), hash.size());
  };
  add(addon_hash);
  for (const PrivateLibrary& library : libraries) add(library.hash);
  return all.FinishHex();
}

}  // namespace napi_reload
