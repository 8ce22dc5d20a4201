#include "loadable.h"

#include <algorithm>
#include <iterator>

namespace napi_reload {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
constexpr uint16_t kMachine = EM_NONE;
#endif

// The smallest page of the machines that we know.
constexpr uint64_t kPageBytes = 4096;
// Of one image in memory; real ones stay far below, and addresses have 47 bits.
constexpr uint64_t kMemoryBytesMax = uint64_t{1} << 40;
// Of an image that is loaded often: more is a mistake.
constexpr uint64_t kInitializersMax = 1 << 20;

uint64_t PageUp(uint64_t address) { return (address + kPageBytes - 1) / kPageBytes * kPageBytes; }

constexpr const char* kNoString = "a name in its dynamic section is no string";

bool IsPowerOfTwo(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

// A stretch of memory inside of one of a longer stretch, without an overflow.
bool IsInside(uint64_t address, uint64_t size, uint64_t begin, uint64_t bytes) {
  return address >= begin && size <= bytes && address - begin <= bytes - size;
}

const char* CheckSpecialSegment(const Elf64_Phdr& segment, const elf::Image& image,
                                const Segments& segments) {
  const uint64_t address = segment.p_vaddr;
  switch (segment.p_type) {
    case PT_PHDR:
      if (image.FileOffset(address, segment.p_filesz) == image.header().e_phoff) return nullptr;
      return "PT_PHDR is not where its program headers are";
    case PT_TLS:
      if (segment.p_filesz <= segment.p_memsz && segment.p_memsz < kMemoryBytesMax &&
          (segment.p_align == 0 || IsPowerOfTwo(segment.p_align)) &&
          (segment.p_filesz == 0 || segments.InFile(address, segment.p_filesz, PF_R))) {
        return nullptr;
      }
      return "its thread-local data lies outside the loaded segments";
    case PT_NOTE:
    case PT_GNU_EH_FRAME:
    case PT_GNU_PROPERTY:
      if (segments.InMemory(address, segment.p_memsz, PF_R)) return nullptr;
      return "its notes or its table for unwinding lie outside the loaded segments";
    case PT_GNU_RELRO:
      if (segments.InPages(address, segment.p_memsz, PF_W)) return nullptr;
      return "what it wants protected after relocation is not in a writable segment";
  }
  return nullptr;
}

const char* CheckSegments(const elf::Image& image, const Segments& segments) {
  size_t dynamic_sections = 0;
  for (size_t index = 0; index < image.segment_count(); ++index) {
    const auto segment = image.SegmentAt(index);
    if (!segment) return "its program headers lie outside the file";
    if (segment->p_type == PT_DYNAMIC) {
      ++dynamic_sections;
      // The loader writes addresses into it.
      const uint32_t flags = PF_R | (segment->p_flags & PF_W);
      if (!segments.InFile(segment->p_vaddr, segment->p_filesz, flags)) {
        return "its dynamic section is not in a segment with its permissions";
      }
    }
    if (const char* found = CheckSpecialSegment(*segment, image, segments)) return found;
  }
  return dynamic_sections == 1 ? nullptr : "it has no dynamic section, or more than one";
}

// Whether a second entry with this tag would be one too many. Others may come often, or do nothing.
bool IsUnique(int64_t tag) { return tag > DT_NEEDED && tag < DT_NUM; }

// The loader takes names from the string table, and of two entries with one tag the last.
const char* CheckEntries(const elf::Image& image) {
  uint64_t seen = 0;
  for (size_t index = 0; index < image.dynamic_count(); ++index) {
    const auto entry = image.DynamicAt(index);
    if (!entry) return "its dynamic section lies outside the file";
    if (IsUnique(entry->tag)) {
      const uint64_t bit = uint64_t{1} << entry->tag;
      if ((seen & bit) != 0) return "its dynamic section says one thing twice";
      seen |= bit;
    }
    switch (entry->tag) {
      case DT_NEEDED:
      case DT_AUXILIARY:
      case DT_FILTER:
        // The empty name is that of the program itself.
        if (image.StringAt(entry->value).value_or("").empty()) return kNoString;
        break;
      case DT_SONAME:
      case DT_RPATH:
      case DT_RUNPATH:
        if (!image.StringAt(entry->value)) return kNoString;
    }
  }
  return nullptr;
}

const char* CheckCode(const elf::Image& image, const Segments& segments) {
  for (const int64_t tag : {DT_INIT, DT_FINI}) {
    const auto address = image.FindDynamic(tag);
    if (address && !segments.InFile(*address, 1, PF_X)) {
      return "its initializer or finalizer is no code";
    }
  }
  const auto got = image.FindDynamic(DT_PLTGOT);
  if (got && !segments.InMemory(*got, 3 * sizeof(uint64_t), PF_R)) {
    return "its table for calls lies outside the loaded segments";
  }
  struct Array {
    int64_t address;
    int64_t bytes;
  };
  for (const Array tags :
       {Array{DT_INIT_ARRAY, DT_INIT_ARRAYSZ}, Array{DT_FINI_ARRAY, DT_FINI_ARRAYSZ}}) {
    const auto address = image.FindDynamic(tags.address);
    if (!address) continue;
    const auto bytes = image.FindDynamic(tags.bytes);
    if (!bytes || *bytes % sizeof(uint64_t) != 0 || *address % sizeof(uint64_t) != 0 ||
        *bytes > kInitializersMax || !segments.InFile(*address, *bytes, PF_R)) {
      return "its table of initializers or finalizers is not in its segments";
    }
  }
  return nullptr;
}

const char* CheckEntry(const elf::Symbol& symbol, const Segments& segments) {
  if (symbol.name != "napi_register_module_v1" &&
      symbol.name != "node_api_module_get_api_version_v1") {
    return nullptr;
  }
  const bool is_function = symbol.type() == STT_FUNC || symbol.type() == STT_NOTYPE;
  if (is_function && segments.InFile(symbol.value, 1, PF_X)) return nullptr;
  return "its entry point is no function";
}

const char* CheckSymbols(const elf::Image& image, const Segments& segments) {
  for (size_t index = 1; index < image.symbol_count(); ++index) {
    const auto symbol = image.SymbolAt(index);
    if (!symbol) return "its dynamic symbols are malformed";
    if (!symbol->defined()) continue;
    if (const char* found = CheckEntry(*symbol, segments)) return found;
  }
  return nullptr;
}

}  // namespace

Segments::Segments(const elf::Image& image) {
  for (size_t index = 0; index < image.segment_count(); ++index) {
    const auto segment = image.SegmentAt(index);
    if (segment && segment->p_type == PT_LOAD) loads_.push_back(*segment);
  }
}

const char* Segments::Check(uint64_t file_bytes) const {
  uint64_t end = 0;
  uint64_t file_end = 0;
  for (const Elf64_Phdr& load : loads_) {
    const auto memory_end = elf::CheckedAdd(load.p_vaddr, load.p_memsz);
    if (!memory_end || *memory_end > kMemoryBytesMax) return "a segment is too large";
    if ((load.p_flags & (PF_R | PF_X)) == 0) return "a segment can't be read";
    if ((load.p_flags & PF_W) == 0 && load.p_filesz < load.p_memsz) {
      return "a segment that is not writable ends with zeros";
    }
    if (load.p_filesz > load.p_memsz) return "a segment has more bytes in the file than in memory";
    if (load.p_filesz > file_bytes || load.p_offset > file_bytes - load.p_filesz) {
      return "a segment lies outside the file";
    }
    if (load.p_filesz > 0 && load.p_offset < file_end) return "two segments have the same bytes";
    if (load.p_filesz > 0) file_end = load.p_offset + load.p_filesz;
    // The loader maps whole pages, each over what was there before.
    if (load.p_vaddr / kPageBytes * kPageBytes < end) return "its segments overlap";
    end = PageUp(*memory_end);
  }
  return loads_.empty() ? "it has nothing to load" : nullptr;
}

bool Segments::InFile(uint64_t address, uint64_t size, uint32_t flags) const {
  return std::any_of(loads_.begin(), loads_.end(), [&](const Elf64_Phdr& load) {
    return (load.p_flags & flags) == flags && IsInside(address, size, load.p_vaddr, load.p_filesz);
  });
}

bool Segments::InMemory(uint64_t address, uint64_t size, uint32_t flags) const {
  return std::any_of(loads_.begin(), loads_.end(), [&](const Elf64_Phdr& load) {
    return (load.p_flags & flags) == flags && IsInside(address, size, load.p_vaddr, load.p_memsz);
  });
}

bool Segments::InPages(uint64_t address, uint64_t size, uint32_t flags) const {
  return std::any_of(loads_.begin(), loads_.end(), [&](const Elf64_Phdr& load) {
    const uint64_t end = PageUp(load.p_vaddr + load.p_memsz);
    return (load.p_flags & flags) == flags &&
           IsInside(address, size, load.p_vaddr, end - load.p_vaddr);
  });
}

const char* FindUnloadable(const elf::Image& image, const uint8_t* data, size_t size) {
  if (image.header().e_machine != kMachine) return nullptr;
  const Segments segments(image);
  if (const char* found = segments.Check(size)) return found;
  if (const char* found = CheckSegments(image, segments)) return found;
  if (const char* found = CheckEntries(image)) return found;
  if (const char* found = CheckCode(image, segments)) return found;
  if (const char* found = CheckSymbols(image, segments)) return found;
  if (const char* found = CheckHashes(image, segments, data, size)) return found;
  if (const char* found = CheckVersions(image, segments, data, size)) return found;
  return CheckRelocations(image, segments, data, size);
}

}  // namespace napi_reload
