#include "rebind.h"

#include <cstring>
#include <set>
#include <string_view>

#include "elf.h"
#include "imports.h"
#include "interpose/table.h"
#include "strings.h"

namespace napi_reload {
namespace {

using std::string_view;

class Rebinder {
 public:
  Rebinder(uint8_t* data, size_t size, const RebindOptions& options)
      : data_(data), size_(size), options_(options) {}

  RebindResult Run() {
    const elf::ParseResult parsed = elf::Image::Parse(data_, size_, &image_);
    if (!parsed.ok()) {
      Refuse(parsed.found);
    } else if (CheckImage()) {
      RewriteSymbols();
      if (result_.ok()) CheckRuntimeLookups();
      if (result_.ok()) RenameLibraries();
    }
    return std::move(result_);
  }

 private:
  void Refuse(std::string reason) {
    if (result_.ok()) result_.refusal = std::move(reason);
  }

  bool CheckImage() {
    if (!options_.any_machine && image_.header().e_machine != kRebindMachine) {
      Refuse("it is for another machine");
    }
    if (image_.symbol_count() == 0) Refuse("it has no dynamic symbols");
    if ((image_.flags_1() & DF_1_NODELETE) != 0) {
      Refuse("its author linked it to stay in memory (-z nodelete)");
    }
    return result_.ok();
  }

  template <typename T>
  void Write(uint64_t offset, const T& value) {
    WriteBytes(offset, &value, sizeof(value));
  }

  void WriteBytes(uint64_t offset, const void* bytes, size_t size) {
    result_.overwritten.Note(data_, offset, size);
    std::memcpy(data_ + offset, bytes, size);
  }

  void RewriteSymbols() {
    for (size_t index = 1; index < image_.symbol_count(); ++index) {
      const auto symbol = image_.SymbolAt(index);
      if (!symbol) return Refuse("its dynamic symbols are malformed");
      if (symbol->binding() == STB_GNU_UNIQUE) HealUnique(*symbol);
      if (!symbol->defined()) Import(*symbol);
    }
  }

  void HealUnique(const elf::Symbol& symbol) {
    const auto raw = elf::ReadAt<Elf64_Sym>(data_, size_, symbol.offset);
    if (!raw) return Refuse("its dynamic symbols are malformed");
    Elf64_Sym healed = *raw;
    healed.st_info = ELF64_ST_INFO(STB_GLOBAL, ELF64_ST_TYPE(healed.st_info));
    Write(symbol.offset, healed);
    ++result_.unique_healed;
  }

  void Import(const elf::Symbol& symbol) {
    const string_view name = symbol.name;
    if (IsUnfollowed(name)) return Refuse("it uses " + std::string(name));
    if (IsPastNodeApi(name)) {
      return Refuse("it calls V8 or Node.js past Node-API (" + std::string(name) + ")");
    }
    if (IsUv(name)) result_.uses_uv = true;
    if (IsUvRequest(name)) result_.uses_uv_requests = true;
    const void* const target = interpose::FindRedirect(name);
    if (target == nullptr) return;
    const auto raw = elf::ReadAt<Elf64_Sym>(data_, size_, symbol.offset);
    if (!raw) return Refuse("its dynamic symbols are malformed");
    Elf64_Sym bound = *raw;
    bound.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
    bound.st_other = STV_HIDDEN;
    bound.st_shndx = SHN_ABS;
    bound.st_value = reinterpret_cast<uintptr_t>(target);
    Write(symbol.offset, bound);
    result_.redirected.emplace_back(name);
  }

  // What an image looks up by name while it runs is Node's own, which the ledger doesn't see.
  void CheckRuntimeLookups() {
    if (LooksUpNodeApi(image_, data_, size_)) {
      Refuse("it looks Node-API functions up while it runs (dlsym)");
    }
  }

  void RenameLibraries() {
    if (options_.libraries.empty() && options_.soname.empty()) return;
    StringUses uses;
    if (!CollectStrings(image_, data_, size_, &uses)) {
      return Refuse("its dynamic strings are malformed");
    }
    for (const auto& [from, to] : options_.libraries) Rename(uses, from, to);
    const auto soname = image_.FindDynamicString(DT_SONAME);
    if (!options_.soname.empty() && soname) {
      const std::string from(*soname);
      // In the image's own version needs the name of itself does not come.
      if (from != options_.soname) Rename(uses, from, options_.soname);
    }
    if (options_.search_origin) SearchOrigin(uses);
  }

  void Rename(const StringUses& uses, const std::string& from, const std::string& to) {
    if (to.size() > from.size()) return Refuse("a new name for \"" + from + "\" does not fit");
    std::set<uint64_t> done;
    for (const StringUse& use : uses) {
      if (use.text != from || use.is_symbol || !done.insert(use.offset).second) continue;
      if (SharesBytes(uses, use)) {
        return Refuse("the name \"" + from + "\" shares its bytes with another");
      }
      WriteBytes(use.offset, to.c_str(), to.size() + 1);
    }
  }

  void SearchOrigin(const StringUses& uses) {
    auto path = image_.FindDynamicString(DT_RUNPATH);
    if (!path) path = image_.FindDynamicString(DT_RPATH);
    if (!path) return Refuse("it has a private library without a name of its own");
    if (*path != "$ORIGIN") Rename(uses, std::string(*path), "$ORIGIN");
  }

  uint8_t* const data_;
  const size_t size_;
  const RebindOptions& options_;
  elf::Image image_;
  RebindResult result_;
};

}  // namespace

void Overwritten::Note(const uint8_t* data, uint64_t offset, size_t size) {
  places_.push_back({offset, size});
  bytes_.insert(bytes_.end(), data + offset, data + offset + size);
}

bool Overwritten::PutBack(uint8_t* data, size_t size) const {
  for (const Place& place : places_) {
    if (place.offset > size || place.size > size - place.offset) return false;
  }
  size_t end = bytes_.size();
  for (auto place = places_.rbegin(); place != places_.rend(); ++place) {
    end -= place->size;
    std::memcpy(data + place->offset, bytes_.data() + end, place->size);
  }
  return true;
}

RebindResult Rebind(uint8_t* data, size_t size, const RebindOptions& options) {
  return Rebinder(data, size, options).Run();
}

}  // namespace napi_reload
