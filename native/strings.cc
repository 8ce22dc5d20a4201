#include "strings.h"

namespace napi_reload {
namespace {

// Real images have tens of each.
constexpr unsigned kRecordsMax = 4096;

class Collector {
 public:
  Collector(const elf::Image& image, const uint8_t* data, size_t size, StringUses* uses)
      : image_(image), data_(data), size_(size), uses_(uses) {}

  bool Run() { return Symbols() && Dynamic() && Needs() && Definitions(); }

 private:
  bool Add(uint64_t index) {
    const auto text = image_.StringAt(index);
    if (!text) return false;
    uses_->push_back({image_.string_table().offset + index, *text, false});
    return true;
  }

  bool Symbols() {
    for (size_t index = 1; index < image_.symbol_count(); ++index) {
      const auto symbol = image_.SymbolAt(index);
      if (!symbol) return false;
      if (!symbol->name.empty()) uses_->push_back({symbol->name_offset, symbol->name, true});
    }
    return true;
  }

  bool Dynamic() {
    for (size_t index = 0; index < image_.dynamic_count(); ++index) {
      const auto entry = image_.DynamicAt(index);
      if (!entry) return false;
      switch (entry->tag) {
        case DT_NEEDED:
        case DT_SONAME:
        case DT_RPATH:
        case DT_RUNPATH:
        case DT_AUXILIARY:
        case DT_FILTER:
          if (!Add(entry->value)) return false;
      }
    }
    return true;
  }

  template <typename T>
  std::optional<T> Read(std::optional<uint64_t> offset) const {
    return offset ? elf::ReadAt<T>(data_, size_, *offset) : std::nullopt;
  }

  bool Needs() {
    const auto address = image_.FindDynamic(DT_VERNEED);
    if (!address) return true;
    auto at = image_.FileOffset(*address, sizeof(Elf64_Verneed));
    for (unsigned count = 0; count < kRecordsMax; ++count) {
      const auto need = Read<Elf64_Verneed>(at);
      if (!need || !Add(need->vn_file)) return false;
      if (need->vn_cnt > 0 && !NeedVersions(elf::CheckedAdd(*at, need->vn_aux))) return false;
      if (need->vn_next == 0) return true;
      at = elf::CheckedAdd(*at, need->vn_next);
    }
    return false;
  }

  bool NeedVersions(std::optional<uint64_t> at) {
    for (unsigned count = 0; count < kRecordsMax; ++count) {
      const auto version = Read<Elf64_Vernaux>(at);
      if (!version || !Add(version->vna_name)) return false;
      if (version->vna_next == 0) return true;
      at = elf::CheckedAdd(*at, version->vna_next);
    }
    return false;
  }

  bool Definitions() {
    const auto address = image_.FindDynamic(DT_VERDEF);
    if (!address) return true;
    auto at = image_.FileOffset(*address, sizeof(Elf64_Verdef));
    for (unsigned count = 0; count < kRecordsMax; ++count) {
      const auto definition = Read<Elf64_Verdef>(at);
      if (!definition) return false;
      const auto name = Read<Elf64_Verdaux>(elf::CheckedAdd(*at, definition->vd_aux));
      // The first definition names the library itself, and may share its string with DT_SONAME.
      if (!name || !Add(name->vda_name)) return false;
      if (definition->vd_next == 0) return true;
      at = elf::CheckedAdd(*at, definition->vd_next);
    }
    return false;
  }

  const elf::Image& image_;
  const uint8_t* const data_;
  const size_t size_;
  StringUses* const uses_;
};

}  // namespace

bool CollectStrings(const elf::Image& image, const uint8_t* data, size_t size, StringUses* uses) {
  return Collector(image, data, size, uses).Run();
}

bool SharesBytes(const StringUses& uses, const StringUse& use) {
  const uint64_t end = use.offset + use.text.size();
  for (const StringUse& other : uses) {
    if (other.offset == use.offset && !other.is_symbol) continue;
    // All strings that reach into these bytes end where these end.
    if (other.offset < end && other.offset + other.text.size() > use.offset) return true;
  }
  return false;
}

}  // namespace napi_reload
