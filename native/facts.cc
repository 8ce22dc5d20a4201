#include "facts.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "elf.h"
#include "loadable.h"
#include "whole.h"

namespace napi_reload {
namespace {

// Of one image, and of one name in it: enough for any real one, and no burden from a hostile one.
constexpr size_t kNeededMax = 1024;
constexpr size_t kNameBytesMax = 4096;

std::string ArchName(uint16_t machine, bool is_64_bit, bool is_little_endian) {
  switch (machine) {
    case EM_X86_64:
      return is_64_bit ? "x64" : "x32";
    case EM_AARCH64:
      return "arm64";
    case EM_386:
      return "ia32";
    case EM_ARM:
      return "arm";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return is_64_bit ? "s390x" : "s390";
    case EM_MIPS:
      return is_little_endian ? "mipsel" : "mips";
    case EM_RISCV:
      return is_64_bit ? "riscv64" : "riscv32";
    case 258:  // EM_LOONGARCH, which older headers do not have
      return "loong64";
    default:
      return "machine-" + std::to_string(machine);
  }
}

// Machine and kind have the same place in the 32-bit and the 64-bit header.
std::optional<ImageFacts> Identify(const uint8_t* data, size_t size) {
  const auto machine = elf::ReadAt<uint16_t>(data, size, offsetof(Elf64_Ehdr, e_machine));
  const auto kind = elf::ReadAt<uint16_t>(data, size, offsetof(Elf64_Ehdr, e_type));
  if (!machine || !kind) return std::nullopt;
  const bool is_64_bit = data[EI_CLASS] == ELFCLASS64;
  const bool is_little_endian = data[EI_DATA] == ELFDATA2LSB;
  const auto in_order = [&](uint16_t value) {
    return is_little_endian ? value : static_cast<uint16_t>(value << 8 | value >> 8);
  };
  ImageFacts facts;
  facts.arch = ArchName(in_order(*machine), is_64_bit, is_little_endian);
  facts.shared_object = is_64_bit && is_little_endian && in_order(*kind) == ET_DYN;
  return facts;
}

std::string Bounded(std::string_view text) { return std::string(text.substr(0, kNameBytesMax)); }

std::optional<std::string> Bounded(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return Bounded(*text);
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

void ReadSymbols(const elf::Image& image, ImageFacts* facts) {
  bool constructor = false;
  bool v8 = false;
  bool symbol = false;
  for (size_t index = 1; index < image.symbol_count(); ++index) {
    const auto entry = image.SymbolAt(index);
    if (!entry) continue;
    if (entry->binding() == STB_GNU_UNIQUE) ++facts->unique_symbols;
    if (!entry->defined()) {
      constructor |= entry->name == "napi_module_register";
      v8 |= entry->name == "node_module_register";
      continue;
    }
    v8 |= StartsWith(entry->name, "node_register_module_v");
    symbol |= entry->name == "napi_register_module_v1";
    facts->has_api_version |= entry->name == "node_api_module_get_api_version_v1";
  }
  facts->entry = constructor ? EntryPoint::kConstructor
                 : v8        ? EntryPoint::kV8
                 : symbol    ? EntryPoint::kSymbol
                             : EntryPoint::kNone;
}

void ReadDynamic(const elf::Image& image, ImageFacts* facts) {
  facts->no_delete = (image.flags_1() & DF_1_NODELETE) != 0;
  facts->static_tls = (image.flags() & DF_STATIC_TLS) != 0;
  facts->soname = Bounded(image.FindDynamicString(DT_SONAME));
  // The loader looks at DT_RPATH only where DT_RUNPATH is absent.
  facts->runpath = Bounded(image.FindDynamicString(DT_RUNPATH));
  if (!facts->runpath) facts->runpath = Bounded(image.FindDynamicString(DT_RPATH));
  for (size_t index = 0; index < image.dynamic_count(); ++index) {
    const auto entry = image.DynamicAt(index);
    if (!entry || entry->tag != DT_NEEDED || facts->needed.size() >= kNeededMax) continue;
    if (const auto name = image.StringAt(entry->value)) facts->needed.push_back(Bounded(*name));
  }
}

// The page that `address` is on, or the first one after it. Wraps for addresses that no loader
// takes, which makes the count wrong and harms nothing.
uint64_t PageDown(uint64_t address, uint64_t page_bytes) { return address / page_bytes; }
uint64_t PageUp(uint64_t address, uint64_t page_bytes) {
  return address / page_bytes + (address % page_bytes != 0 ? 1 : 0);
}

// One mapping for each segment, one for zeros past the file's part, one for the part that is made
// read-only after relocation, and one for a hole that the loader keeps shut.
uint64_t CountMappings(const elf::Image& image, uint64_t page_bytes) {
  const auto relro = image.FindSegment(PT_GNU_RELRO);
  const uint64_t relro_start = relro ? PageDown(relro->p_vaddr, page_bytes) : 0;
  const uint64_t relro_end = relro ? PageDown(relro->p_vaddr + relro->p_memsz, page_bytes) : 0;
  uint64_t mappings = 0;
  uint64_t previous_end = 0;
  for (size_t index = 0; index < image.segment_count(); ++index) {
    const auto segment = image.SegmentAt(index);
    if (!segment || segment->p_type != PT_LOAD) continue;
    const uint64_t start = PageDown(segment->p_vaddr, page_bytes);
    const uint64_t file_end = PageUp(segment->p_vaddr + segment->p_filesz, page_bytes);
    const uint64_t memory_end = PageUp(segment->p_vaddr + segment->p_memsz, page_bytes);
    ++mappings;
    if (memory_end > file_end) ++mappings;
    if (relro_start < relro_end && relro_start >= start && relro_end < file_end) ++mappings;
    if (previous_end != 0 && start > previous_end) ++mappings;
    previous_end = memory_end;
  }
  return mappings;
}

class MemorySource : public ByteSource {
 public:
  MemorySource(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool ReadAt(uint64_t offset, void* to, size_t size) const override {
    if (size > size_ || offset > size_ - size) return false;
    std::memcpy(to, data_ + offset, size);
    return true;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace

std::variant<ImageFacts, NotElf> ReadFacts(const uint8_t* data, size_t size, uint64_t page_bytes) {
  elf::Image image;
  const elf::ParseResult parsed = elf::Image::Parse(data, size, &image);
  if (parsed.status == elf::Status::kNotElf) {
    return NotElf{false, CheckWholeness(MemorySource(data, size), size).found};
  }
  if (parsed.status == elf::Status::kMalformed) return NotElf{true, parsed.found};
  auto facts = Identify(data, size);
  if (!facts) return NotElf{true, "its header is cut off"};
  if (!facts->shared_object) return std::move(*facts);
  if (const char* found = FindUnloadable(image, data, size)) return NotElf{true, found};
  const auto tls = image.FindSegment(PT_TLS);
  facts->tls_bytes = tls ? tls->p_memsz : 0;
  facts->mappings = CountMappings(image, page_bytes);
  ReadDynamic(image, &*facts);
  ReadSymbols(image, &*facts);
  return std::move(*facts);
}

}  // namespace napi_reload
