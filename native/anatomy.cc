#include "anatomy.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "api_version.h"
#include "imports.h"

namespace napi_reload {
namespace {

// Of one image: enough for any real one, and no burden from a hostile one.
constexpr size_t kImportsMax = 65536;
constexpr size_t kNameBytesMax = 4096;
// Versions that are looked up, each by a walk through all of them. Real images name tens.
constexpr size_t kVersionsMax = 256;
// Of the function that returns a number.
constexpr uint64_t kCodeBytesMax = 64;

std::string Bounded(std::string_view text) { return std::string(text.substr(0, kNameBytesMax)); }

std::optional<std::string> Bounded(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return Bounded(*text);
}

// A library without the segment is taken for one that needs it, where that was the custom once.
bool WantsExecutableStack(const elf::Image& image) {
  const auto stack = image.FindSegment(PT_GNU_STACK);
  if (stack) return (stack->p_flags & PF_X) != 0;
  return image.header().e_machine == EM_X86_64;
}

std::optional<int32_t> ReadApiVersion(const elf::Image& image, const elf::Symbol& symbol,
                                      const uint8_t* data, size_t size) {
  const auto offset = image.FileOffset(symbol.value, 1);
  if (!offset) return std::nullopt;
  const size_t bytes = static_cast<size_t>(std::min<uint64_t>(size - *offset, kCodeBytesMax));
  return ReadConstantFunction(image.header().e_machine, data + *offset, bytes);
}

class Versions {
 public:
  explicit Versions(const elf::Image& image) : image_(image) {}

  // Nullptr for a symbol that any version serves.
  const elf::VersionNeed* Of(size_t symbol) {
    const auto index = image_.VersionIndexAt(symbol);
    if (!index || *index <= VER_NDX_GLOBAL) return nullptr;
    auto found = known_.find(*index);
    if (found == known_.end()) {
      if (known_.size() >= kVersionsMax) return nullptr;
      found = known_.emplace(*index, image_.FindVersionNeed(*index)).first;
    }
    return found->second ? &*found->second : nullptr;
  }

 private:
  const elf::Image& image_;
  std::map<uint16_t, std::optional<elf::VersionNeed>> known_;
};

Import ImportOf(const elf::Symbol& symbol, const elf::VersionNeed* version) {
  Import import{Bounded(symbol.name), "", "", symbol.binding() == STB_WEAK};
  if (version == nullptr) return import;
  import.version = Bounded(version->version);
  import.library = Bounded(version->library);
  return import;
}

}  // namespace

Anatomy ReadAnatomy(const elf::Image& image, const uint8_t* data, size_t size) {
  Anatomy anatomy;
  anatomy.executable_stack = WantsExecutableStack(image);
  anatomy.rpath = Bounded(image.FindDynamicString(DT_RPATH));
  anatomy.runpath = Bounded(image.FindDynamicString(DT_RUNPATH));
  anatomy.looks_up_node_api = LooksUpNodeApi(image, data, size);
  Versions versions(image);
  for (size_t index = 1; index < image.symbol_count(); ++index) {
    const auto symbol = image.SymbolAt(index);
    if (!symbol) continue;
    if (symbol->defined()) {
      if (symbol->name == "node_api_module_get_api_version_v1") {
        anatomy.api_version = ReadApiVersion(image, *symbol, data, size);
      }
    } else if (!symbol->name.empty() && anatomy.imports.size() < kImportsMax) {
      anatomy.imports.push_back(ImportOf(*symbol, versions.Of(index)));
    }
  }
  return anatomy;
}

}  // namespace napi_reload
