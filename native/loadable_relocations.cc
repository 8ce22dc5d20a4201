// What the loader writes into an image before any code of it runs.

#include <algorithm>
#include <iterator>

#include "loadable.h"

namespace napi_reload {
namespace {

#if defined(__aarch64__)
enum Kind : uint32_t {
  kRelative = R_AARCH64_RELATIVE,
  kIndirect = R_AARCH64_IRELATIVE,
  kCopy = R_AARCH64_COPY,
  kSlot = R_AARCH64_JUMP_SLOT,
  kData = R_AARCH64_GLOB_DAT,
  kDescriptor = R_AARCH64_TLSDESC,
  kWord = R_AARCH64_ABS64,
};
bool IsThreadLocal(uint32_t kind) {
  return kind == R_AARCH64_TLS_DTPMOD || kind == R_AARCH64_TLS_DTPREL ||
         kind == R_AARCH64_TLS_TPREL || kind == kDescriptor;
}
#else
enum Kind : uint32_t {
  kRelative = R_X86_64_RELATIVE,
  kIndirect = R_X86_64_IRELATIVE,
  kCopy = R_X86_64_COPY,
  kSlot = R_X86_64_JUMP_SLOT,
  kData = R_X86_64_GLOB_DAT,
  kDescriptor = R_X86_64_TLSDESC,
  kWord = R_X86_64_64,
};
bool IsThreadLocal(uint32_t kind) {
  return kind == R_X86_64_DTPMOD64 || kind == R_X86_64_DTPOFF64 || kind == R_X86_64_TPOFF64 ||
         kind == kDescriptor;
}
#endif

// Kinds of symbols that one image may want of another.
bool IsReference(unsigned type) {
  return type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_TLS ||
         type == STT_GNU_IFUNC;
}

constexpr uint64_t kWordBytes = sizeof(uint64_t);

class Checker {
 public:
  Checker(const elf::Image& image, const Segments& segments, const uint8_t* data, size_t size)
      : image_(image),
        segments_(segments),
        data_(data),
        size_(size),
        has_thread_locals_(image.FindSegment(PT_TLS).has_value()),
        // Then the loader makes code writable while it relocates.
        target_flags_((image.flags() & DF_TEXTREL) != 0 || image.FindDynamic(DT_TEXTREL) ? PF_R
                                                                                         : PF_W) {}

  const char* Run() {
    FindInitializers();
    if (image_.FindDynamic(DT_REL)) return "it has relocations of another processor";
    if (const char* found = CheckTable(DT_RELA, DT_RELASZ, false)) return found;
    if (const char* found = CheckJumps()) return found;
    if (const char* found = CheckPacked()) return found;
    const bool all = std::all_of(is_set_.begin(), is_set_.end(), [](bool set) { return set; });
    return all ? nullptr : "an initializer or finalizer is not relocated";
  }

 private:
  struct Initializers {
    uint64_t address;
    uint64_t count;
    size_t first;  // in is_set_
  };

  void FindInitializers() {
    const auto add = [this](int64_t address_tag, int64_t bytes_tag) {
      const auto address = image_.FindDynamic(address_tag);
      const auto bytes = image_.FindDynamic(bytes_tag);
      if (!address || !bytes) return;
      initializers_.push_back({*address, *bytes / kWordBytes, is_set_.size()});
      is_set_.resize(is_set_.size() + *bytes / kWordBytes);
    };
    add(DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
    add(DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
  }

  // Notes that a word is written, and says whether it is an initializer.
  bool MarkInitializer(uint64_t address) {
    for (const Initializers& table : initializers_) {
      const uint64_t index = (address - table.address) / kWordBytes;
      if (address < table.address || index >= table.count) continue;
      is_set_[table.first + index] = true;
      return true;
    }
    return false;
  }

  const char* CheckTable(int64_t address_tag, int64_t bytes_tag, bool is_jumps) {
    const auto address = image_.FindDynamic(address_tag);
    if (!address) return nullptr;
    const auto bytes = image_.FindDynamic(bytes_tag);
    const auto entry_bytes = image_.FindDynamic(DT_RELAENT);
    // An assertion of the loader.
    if (!is_jumps && entry_bytes != sizeof(Elf64_Rela)) return "its relocations have a wrong size";
    if (!bytes || *bytes % sizeof(Elf64_Rela) != 0 || !segments_.InFile(*address, *bytes, PF_R)) {
      return "its relocations lie outside the loaded segments";
    }
    if (!AgreesWithSections(*address, *bytes)) return "its relocations contradict its sections";
    const uint64_t count = *bytes / sizeof(Elf64_Rela);
    const uint64_t relative = is_jumps ? 0 : image_.FindDynamic(DT_RELACOUNT).value_or(0);
    if (relative > count) return "it has fewer relocations than it says";
    const auto offset = image_.FileOffset(*address, *bytes);
    for (uint64_t index = 0; offset && index < count; ++index) {
      const auto entry =
          elf::ReadAt<Elf64_Rela>(data_, size_, *offset + index * sizeof(Elf64_Rela));
      if (!entry) return "its relocations lie outside the file";
      const uint32_t kind = ELF64_R_TYPE(entry->r_info);
      // An assertion of the loader.
      if (index < relative && kind != kRelative) return "its relocations contradict their count";
      if (is_jumps && kind != kSlot && kind != kDescriptor && kind != kIndirect) {
        return "a relocation of a call is of another kind";
      }
      if (const char* found = CheckOne(*entry, kind)) return found;
    }
    return nullptr;
  }

  // Nothing else tells that relocations are missing.
  bool AgreesWithSections(uint64_t address, uint64_t bytes) const {
    for (size_t index = 0; index < image_.section_count(); ++index) {
      const auto section = image_.SectionAt(index);
      if (!section || section->sh_type != SHT_RELA || section->sh_addr != address) continue;
      if (section->sh_size > bytes) return false;
    }
    return true;
  }

  const char* CheckJumps() {
    const auto kind = image_.FindDynamic(DT_PLTREL);
    if (!kind && !image_.FindDynamic(DT_JMPREL)) return nullptr;
    // An assertion of the loader.
    if (kind != static_cast<uint64_t>(DT_RELA) || !image_.FindDynamic(DT_JMPREL)) {
      return "its relocations of calls are of another kind";
    }
    return CheckTable(DT_JMPREL, DT_PLTRELSZ, true);
  }

  const char* CheckOne(const Elf64_Rela& entry, uint32_t kind) {
    if (kind == 0) return nullptr;
    if (!segments_.InMemory(entry.r_offset, kWordBytes, target_flags_)) {
      return "a relocation writes outside the writable segments";
    }
    if (kind == kCopy) return "it copies data of another image";
    const bool is_initializer = MarkInitializer(entry.r_offset);
    const auto place = static_cast<uint64_t>(entry.r_addend);
    if (kind == kIndirect || (is_initializer && kind == kRelative)) {
      return segments_.InFile(place, 1, PF_X) ? nullptr : "a relocation leads to what is no code";
    }
    if (kind == kRelative) return nullptr;
    return CheckSymbol(ELF64_R_SYM(entry.r_info), kind);
  }

  const char* CheckSymbol(uint64_t index, uint32_t kind) const {
    const bool is_thread_local = IsThreadLocal(kind);
    // Others reach 32 bits far, and are of use only in code that is written to.
    const bool is_whole = is_thread_local || kind == kWord || kind == kData || kind == kSlot;
    if (!is_whole && target_flags_ == PF_W) return "a relocation is of an unknown kind";
    if (index == 0) {
      if (is_thread_local) return has_thread_locals_ ? nullptr : "it has no thread-local data";
      return kind == kSlot || kind == kData ? "a relocation has no symbol" : nullptr;
    }
    const auto symbol = image_.SymbolAt(index);
    if (!symbol) return "a relocation has a symbol that does not exist";
    const auto raw = elf::ReadAt<Elf64_Sym>(data_, size_, symbol->offset);
    const bool is_section = symbol->binding() == STB_LOCAL && symbol->type() == STT_SECTION;
    if (!is_section && !IsReference(symbol->type())) return "a relocation has no symbol";
    if (!symbol->defined()) {
      // The loader would take its value, which is nothing.
      const bool is_looked_up = raw && ELF64_ST_VISIBILITY(raw->st_other) == STV_DEFAULT &&
                                symbol->binding() != STB_LOCAL;
      return is_looked_up ? nullptr : "a symbol is wanted and hidden";
    }
    if (is_thread_local) return has_thread_locals_ ? nullptr : "it has no thread-local data";
    if (symbol->section == SHN_ABS) {
      return kind == kSlot ? "a call leads out of the image" : nullptr;
    }
    const uint32_t flags = kind == kSlot || symbol->type() == STT_FUNC ? PF_X : PF_R;
    // One byte behind a segment is where its end symbol is.
    if (segments_.InMemory(symbol->value, 0, flags)) return nullptr;
    return "a symbol lies outside the loaded segments";
  }

  // DT_RELR: an address, then bits for the 63 words after it, as often as it takes.
  const char* CheckPacked() {
    constexpr int64_t kAddress = 36;
    constexpr int64_t kBytes = 35;
    constexpr int64_t kEntryBytes = 37;
    const auto address = image_.FindDynamic(kAddress);
    if (!address) return nullptr;
    const auto bytes = image_.FindDynamic(kBytes);
    if (!bytes || image_.FindDynamic(kEntryBytes) != kWordBytes || *bytes % kWordBytes != 0 ||
        !segments_.InFile(*address, *bytes, PF_R)) {
      return "its packed relocations lie outside the loaded segments";
    }
    const auto offset = image_.FileOffset(*address, *bytes);
    uint64_t next = 0;
    for (uint64_t at = 0; offset && at < *bytes; at += kWordBytes) {
      const auto word = elf::ReadAt<uint64_t>(data_, size_, *offset + at);
      if (!word) return "its packed relocations lie outside the file";
      if ((*word & 1) == 0) {
        if (!IsPackedTarget(*word)) return "a relocation writes outside the writable segments";
        next = *word + kWordBytes;
        continue;
      }
      for (unsigned bit = 1; bit < 64; ++bit) {
        if ((*word >> bit & 1) == 0) continue;
        if (!IsPackedTarget(next + (bit - 1) * kWordBytes)) {
          return "a relocation writes outside the writable segments";
        }
      }
      next += 63 * kWordBytes;
    }
    return nullptr;
  }

  bool IsPackedTarget(uint64_t address) {
    MarkInitializer(address);
    return segments_.InMemory(address, kWordBytes, target_flags_);
  }

  const elf::Image& image_;
  const Segments& segments_;
  const uint8_t* const data_;
  const size_t size_;
  const bool has_thread_locals_;
  const uint32_t target_flags_;
  std::vector<Initializers> initializers_;
  std::vector<bool> is_set_;
};

}  // namespace

const char* CheckRelocations(const elf::Image& image, const Segments& segments, const uint8_t* data,
                             size_t size) {
  return Checker(image, segments, data, size).Run();
}

}  // namespace napi_reload
