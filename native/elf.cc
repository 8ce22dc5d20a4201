#include "elf.h"

#include <algorithm>

namespace napi_reload::elf {
namespace {

// What a lookup of a version walks at most. Real images name tens.
constexpr uint64_t kLibrariesMax = 1024;
constexpr uint64_t kVersionsMax = 1024;

ParseResult Malformed(const char* found) { return {Status::kMalformed, found}; }

}  // namespace

std::optional<uint64_t> CheckedAdd(uint64_t a, uint64_t b) {
  if (b > UINT64_MAX - a) return std::nullopt;
  return a + b;
}

ParseResult Image::Parse(const uint8_t* data, size_t size, Image* image) {
  Image parsed;
  parsed.data_ = data;
  parsed.size_ = size;
  ParseResult result = parsed.ReadHeader();
  if (result.ok()) result = parsed.FindDynamicSection();
  if (result.ok() && parsed.dynamic_count_ > 0) result = parsed.FindStrings();
  if (result.ok() && parsed.dynamic_count_ > 0) result = parsed.FindSymbols();
  if (result.ok()) *image = parsed;
  return result;
}

ParseResult Image::ReadHeader() {
  if (size_ < SELFMAG || std::memcmp(data_, ELFMAG, SELFMAG) != 0) {
    return {Status::kNotElf, "it does not begin with the ELF magic"};
  }
  if (size_ <= EI_DATA) return Malformed("its header is cut off");
  if (data_[EI_CLASS] != ELFCLASS64 || data_[EI_DATA] != ELFDATA2LSB) {
    return {Status::kUnsupported, "it is not 64-bit little-endian"};
  }
  const auto header = Read<Elf64_Ehdr>(0);
  if (!header) return Malformed("its header is cut off");
  header_ = *header;
  // 0xffff means "see section 0". No shared object has that many segments.
  if (header_.e_phnum == PN_XNUM) return Malformed("it has too many program headers");
  if (header_.e_phnum > 0 && header_.e_phentsize != sizeof(Elf64_Phdr)) {
    return Malformed("its program headers have a wrong size");
  }
  if (!Contains(header_.e_phoff, uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr))) {
    return Malformed("its program headers lie outside the file");
  }
  if (section_count() > 0 && header_.e_shentsize != sizeof(Elf64_Shdr)) {
    return Malformed("its section headers have a wrong size");
  }
  if (!Contains(header_.e_shoff, uint64_t{section_count()} * sizeof(Elf64_Shdr))) {
    return Malformed("its section headers lie outside the file");
  }
  return {};
}

ParseResult Image::FindDynamicSection() {
  const auto segment = FindSegment(PT_DYNAMIC);
  if (!segment) return {};
  const auto offset = FileOffset(segment->p_vaddr, segment->p_filesz);
  if (!offset) return Malformed("its dynamic section lies outside the loaded segments");
  dynamic_offset_ = *offset;
  const uint64_t entries_max = segment->p_filesz / sizeof(Elf64_Dyn);
  for (uint64_t index = 0; index < entries_max; ++index) {
    const auto entry = Read<Elf64_Dyn>(dynamic_offset_ + index * sizeof(Elf64_Dyn));
    if (!entry) break;
    if (entry->d_tag == DT_NULL) {
      dynamic_count_ = static_cast<size_t>(index);
      return {};
    }
  }
  return Malformed("its dynamic section has no end");
}

ParseResult Image::FindStrings() {
  const auto address = FindDynamic(DT_STRTAB);
  const auto size = FindDynamic(DT_STRSZ);
  if (!address || !size || *size == 0) return Malformed("it has no dynamic string table");
  const auto offset = FileOffset(*address, *size);
  if (!offset) return Malformed("its dynamic string table lies outside the loaded segments");
  if (data_[*offset + *size - 1] != '\0') {
    return Malformed("its dynamic string table has no end");
  }
  strings_ = {*offset, *size};
  return {};
}

ParseResult Image::FindSymbols() {
  const auto address = FindDynamic(DT_SYMTAB);
  if (!address) return Malformed("it has no dynamic symbol table");
  const auto entry_size = FindDynamic(DT_SYMENT);
  if (entry_size && *entry_size != sizeof(Elf64_Sym)) {
    return Malformed("its dynamic symbols have a wrong size");
  }
  const auto offset = FileOffset(*address, sizeof(Elf64_Sym));
  if (!offset) return Malformed("its dynamic symbol table lies outside the loaded segments");
  symbols_offset_ = *offset;
  // The sections come first: DT_GNU_HASH knows only of exported symbols, and is empty where there
  // are none.
  auto count = CountBySections();
  if (!count) count = CountByHash();
  if (!count) count = CountByGnuHash();
  if (!count) return Malformed("the number of its dynamic symbols can't be found");
  const uint64_t count_max = (size_ - symbols_offset_) / sizeof(Elf64_Sym);
  if (*count > count_max) return Malformed("its dynamic symbols run past the end of the file");
  symbol_count_ = static_cast<size_t>(*count);
  return {};
}

std::optional<uint64_t> Image::CountBySections() const {
  for (size_t index = 0; index < section_count(); ++index) {
    const auto section = SectionAt(index);
    if (!section || section->sh_type != SHT_DYNSYM) continue;
    if (section->sh_offset != symbols_offset_) continue;
    return section->sh_size / sizeof(Elf64_Sym);
  }
  return std::nullopt;
}

std::optional<uint64_t> Image::CountByHash() const {
  struct Table {
    uint32_t bucket_count;
    uint32_t chain_count;
  };
  const auto address = FindDynamic(DT_HASH);
  if (!address) return std::nullopt;
  const auto offset = FileOffset(*address, sizeof(Table));
  if (!offset) return std::nullopt;
  const auto table = Read<Table>(*offset);
  if (!table) return std::nullopt;
  return table->chain_count;
}

std::optional<uint64_t> Image::CountByGnuHash() const {
  struct Table {
    uint32_t bucket_count;
    uint32_t first_symbol;
    uint32_t bloom_count;
    uint32_t bloom_shift;
  };
  const auto address = FindDynamic(DT_GNU_HASH);
  if (!address) return std::nullopt;
  const auto offset = FileOffset(*address, sizeof(Table));
  if (!offset) return std::nullopt;
  const auto table = Read<Table>(*offset);
  if (!table) return std::nullopt;
  // Each term is below 2^36, the offset is inside the file: no sum can overflow.
  const uint64_t buckets = *offset + sizeof(Table) + uint64_t{table->bloom_count} * 8;
  const uint64_t chains = buckets + uint64_t{table->bucket_count} * 4;
  uint64_t last = 0;
  for (uint64_t index = 0; index < table->bucket_count; ++index) {
    const auto bucket = Read<uint32_t>(buckets + index * 4);
    if (!bucket) return std::nullopt;
    last = std::max<uint64_t>(last, *bucket);
  }
  if (last < table->first_symbol) return table->first_symbol;
  // The chain of the last bucket ends at the last symbol; a set low bit marks the end. The file's
  // end bounds it.
  for (;; ++last) {
    const auto hash = Read<uint32_t>(chains + (last - table->first_symbol) * 4);
    if (!hash) return std::nullopt;
    if ((*hash & 1) != 0) return last + 1;
  }
}

std::optional<Elf64_Phdr> Image::SegmentAt(size_t index) const {
  if (index >= segment_count()) return std::nullopt;
  return Read<Elf64_Phdr>(header_.e_phoff + index * sizeof(Elf64_Phdr));
}

std::optional<Elf64_Phdr> Image::FindSegment(uint32_t type) const {
  for (size_t index = 0; index < segment_count(); ++index) {
    const auto segment = SegmentAt(index);
    if (segment && segment->p_type == type) return segment;
  }
  return std::nullopt;
}

std::optional<Elf64_Shdr> Image::SectionAt(size_t index) const {
  if (index >= section_count()) return std::nullopt;
  return Read<Elf64_Shdr>(header_.e_shoff + index * sizeof(Elf64_Shdr));
}

std::optional<uint64_t> Image::FileOffset(uint64_t address, uint64_t size) const {
  for (size_t index = 0; index < segment_count(); ++index) {
    const auto segment = SegmentAt(index);
    if (!segment || segment->p_type != PT_LOAD || address < segment->p_vaddr) continue;
    const uint64_t inside = address - segment->p_vaddr;
    if (size > segment->p_filesz || inside > segment->p_filesz - size) continue;
    const auto offset = CheckedAdd(segment->p_offset, inside);
    if (!offset || !Contains(*offset, size)) return std::nullopt;
    return offset;
  }
  return std::nullopt;
}

std::optional<DynamicEntry> Image::DynamicAt(size_t index) const {
  if (index >= dynamic_count_) return std::nullopt;
  const uint64_t offset = dynamic_offset_ + index * sizeof(Elf64_Dyn);
  const auto entry = Read<Elf64_Dyn>(offset);
  if (!entry) return std::nullopt;
  return DynamicEntry{entry->d_tag, entry->d_un.d_val, offset};
}

std::optional<uint64_t> Image::FindDynamic(int64_t tag) const {
  std::optional<uint64_t> value;
  for (size_t index = 0; index < dynamic_count_; ++index) {
    const auto entry = DynamicAt(index);
    if (entry && entry->tag == tag) value = entry->value;
  }
  return value;
}

std::optional<std::string_view> Image::FindDynamicString(int64_t tag) const {
  const auto index = FindDynamic(tag);
  return index ? StringAt(*index) : std::nullopt;
}

std::optional<std::string_view> Image::StringAt(uint64_t index) const {
  if (index >= strings_.size) return std::nullopt;
  const uint8_t* start = data_ + strings_.offset + index;
  const void* end = std::memchr(start, '\0', static_cast<size_t>(strings_.size - index));
  if (end == nullptr) return std::nullopt;
  const auto length = static_cast<size_t>(static_cast<const uint8_t*>(end) - start);
  return std::string_view(reinterpret_cast<const char*>(start), length);
}

std::optional<Symbol> Image::SymbolAt(size_t index) const {
  if (index >= symbol_count_) return std::nullopt;
  const uint64_t offset = symbols_offset_ + index * sizeof(Elf64_Sym);
  const auto raw = Read<Elf64_Sym>(offset);
  if (!raw) return std::nullopt;
  const auto name = StringAt(raw->st_name);
  if (!name) return std::nullopt;
  return Symbol{*name,        strings_.offset + raw->st_name, offset, raw->st_info, raw->st_shndx,
                raw->st_value};
}

std::optional<uint64_t> Image::VersionIndexOffset(size_t symbol) const {
  if (symbol >= symbol_count_) return std::nullopt;
  const auto table = FindDynamic(DT_VERSYM);
  if (!table) return std::nullopt;
  const auto address = CheckedAdd(*table, uint64_t{symbol} * sizeof(Elf64_Versym));
  return address ? FileOffset(*address, sizeof(Elf64_Versym)) : std::nullopt;
}

std::optional<uint16_t> Image::VersionIndexAt(size_t symbol) const {
  const auto offset = VersionIndexOffset(symbol);
  if (!offset) return std::nullopt;
  const auto raw = Read<Elf64_Versym>(*offset);
  if (!raw) return std::nullopt;
  return static_cast<uint16_t>(*raw & kVersionIndexMask);
}

std::optional<VersionNeed> Image::FindVersionNeed(uint16_t index) const {
  const auto address = FindDynamic(DT_VERNEED);
  const auto libraries = FindDynamic(DT_VERNEEDNUM);
  if (!address || !libraries) return std::nullopt;
  auto offset = FileOffset(*address, sizeof(Elf64_Verneed));
  for (uint64_t left = std::min(*libraries, kLibrariesMax); offset && left > 0; --left) {
    const auto need = Read<Elf64_Verneed>(*offset);
    if (!need) return std::nullopt;
    if (const auto found = FindInLibrary(*need, *offset, index)) return found;
    if (need->vn_next == 0) return std::nullopt;
    offset = CheckedAdd(*offset, need->vn_next);
  }
  return std::nullopt;
}

std::optional<VersionNeed> Image::FindInLibrary(const Elf64_Verneed& need, uint64_t offset,
                                                uint16_t index) const {
  auto at = CheckedAdd(offset, need.vn_aux);
  for (uint64_t left = std::min<uint64_t>(need.vn_cnt, kVersionsMax); at && left > 0; --left) {
    const auto version = Read<Elf64_Vernaux>(*at);
    if (!version) return std::nullopt;
    if ((version->vna_other & kVersionIndexMask) == index) {
      const auto library = StringAt(need.vn_file);
      const auto name = StringAt(version->vna_name);
      if (!library || !name) return std::nullopt;
      return VersionNeed{*library, *name, *at};
    }
    if (version->vna_next == 0) return std::nullopt;
    at = CheckedAdd(*at, version->vna_next);
  }
  return std::nullopt;
}

}  // namespace napi_reload::elf
