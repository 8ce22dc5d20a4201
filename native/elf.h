// A reader of ELF64 little-endian images over bytes that may be hostile.
//
// Ownership: an Image borrows the bytes and owns nothing; they must outlive it and every
// string_view it returned. It never writes: who rewrites a copy uses the file offsets given here on
// bytes of its own, and parses again. Threads: any; no state is shared. Failure: no function
// allocates, throws or reads outside [data, data + size). What can't be read is nullopt.
//
// Addresses are resolved through the PT_LOAD headers, as the loader does. Section headers are
// believed only for the number of dynamic symbols, and only when they speak of the table that the
// loader will use.

#ifndef NAPI_RELOAD_ELF_H_
#define NAPI_RELOAD_ELF_H_

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace napi_reload::elf {

enum class Status {
  kOk,
  kNotElf,       // does not begin with the ELF magic
  kUnsupported,  // ELF, but not 64-bit little-endian
  kMalformed,    // contradicts itself
};

struct ParseResult {
  Status status = Status::kOk;
  const char* found = "";  // a literal that completes "the file is malformed: "

  bool ok() const { return status == Status::kOk; }
};

// A stretch of the file; inside it when it comes from an Image.
struct FileRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct DynamicEntry {
  int64_t tag = DT_NULL;
  uint64_t value = 0;
  uint64_t offset = 0;  // of the Elf64_Dyn in the file
};

struct Symbol {
  std::string_view name;
  uint64_t name_offset = 0;  // of the first byte of the name in the file
  uint64_t offset = 0;       // of the Elf64_Sym in the file
  uint8_t info = 0;
  uint16_t section = SHN_UNDEF;
  uint64_t value = 0;

  unsigned binding() const { return ELF64_ST_BIND(info); }
  unsigned type() const { return ELF64_ST_TYPE(info); }
  bool defined() const { return section != SHN_UNDEF; }
};

// One version that the image wants of one library, such as GLIBC_2.34 of libc.so.6.
struct VersionNeed {
  std::string_view library;
  std::string_view version;
  uint64_t offset = 0;  // of the Elf64_Vernaux in the file
};

// `a + b`, or nullopt when it overflows.
std::optional<uint64_t> CheckedAdd(uint64_t a, uint64_t b);

// Copies a T out of the bytes, whatever its alignment.
template <typename T>
std::optional<T> ReadAt(const uint8_t* data, size_t size, uint64_t offset) {
  if (sizeof(T) > size || offset > size - sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, data + offset, sizeof(T));
  return value;
}

// Bits of `.gnu.version` entries that hold the index; the one left marks a hidden symbol.
inline constexpr uint16_t kVersionIndexMask = 0x7fff;

class Image {
 public:
  // An image of no bytes: every question is answered with nothing.
  Image() = default;

  // Reads the headers, and finds the dynamic section and its tables. A file without a dynamic
  // section parses: it has no entries and no symbols. `*image` is left as it was on failure.
  static ParseResult Parse(const uint8_t* data, size_t size, Image* image);

  const Elf64_Ehdr& header() const { return header_; }

  size_t segment_count() const { return header_.e_phnum; }
  std::optional<Elf64_Phdr> SegmentAt(size_t index) const;
  // The first segment of this type, such as PT_TLS or PT_GNU_STACK.
  std::optional<Elf64_Phdr> FindSegment(uint32_t type) const;
  size_t section_count() const { return header_.e_shoff == 0 ? 0 : header_.e_shnum; }
  std::optional<Elf64_Shdr> SectionAt(size_t index) const;

  // Where the `size` bytes at a virtual address lie in the file, when all of them come from the
  // file.
  std::optional<uint64_t> FileOffset(uint64_t address, uint64_t size) const;

  // Entries before DT_NULL.
  size_t dynamic_count() const { return dynamic_count_; }
  std::optional<DynamicEntry> DynamicAt(size_t index) const;
  // The value of the last entry with this tag, which is the one that the loader keeps.
  std::optional<uint64_t> FindDynamic(int64_t tag) const;
  // The same for a tag whose value is a string: DT_SONAME, DT_RPATH, DT_RUNPATH. For DT_NEEDED,
  // which may come often, walk the entries.
  std::optional<std::string_view> FindDynamicString(int64_t tag) const;
  // DT_FLAGS and DT_FLAGS_1; 0 where absent.
  uint64_t flags() const { return FindDynamic(DT_FLAGS).value_or(0); }
  uint64_t flags_1() const { return FindDynamic(DT_FLAGS_1).value_or(0); }

  // The dynamic string table; size 0 where there is none.
  FileRange string_table() const { return strings_; }
  // A string that starts at `index` of the table and ends inside it.
  std::optional<std::string_view> StringAt(uint64_t index) const;

  // Dynamic symbols, with the empty one at index 0.
  size_t symbol_count() const { return symbol_count_; }
  // Nullopt past the end, and for a symbol whose name is no string of the table.
  std::optional<Symbol> SymbolAt(size_t index) const;

  // Where the `.gnu.version` entry of a symbol lies in the file; nullopt when symbols have no
  // versions.
  std::optional<uint64_t> VersionIndexOffset(size_t symbol) const;
  // That entry's index without the hidden bit: VER_NDX_LOCAL, VER_NDX_GLOBAL, or one to look up.
  std::optional<uint16_t> VersionIndexAt(size_t symbol) const;
  // The wanted version that has this index.
  std::optional<VersionNeed> FindVersionNeed(uint16_t index) const;

 private:
  template <typename T>
  std::optional<T> Read(uint64_t offset) const {
    return ReadAt<T>(data_, size_, offset);
  }
  bool Contains(uint64_t offset, uint64_t size) const {
    return size <= size_ && offset <= size_ - size;
  }

  ParseResult ReadHeader();
  ParseResult FindDynamicSection();
  ParseResult FindStrings();
  ParseResult FindSymbols();
  std::optional<uint64_t> CountBySections() const;
  std::optional<uint64_t> CountByGnuHash() const;
  std::optional<uint64_t> CountByHash() const;
  std::optional<VersionNeed> FindInLibrary(const Elf64_Verneed& need, uint64_t offset,
                                           uint16_t index) const;

  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  Elf64_Ehdr header_ = {};
  uint64_t dynamic_offset_ = 0;
  size_t dynamic_count_ = 0;
  FileRange strings_;
  uint64_t symbols_offset_ = 0;
  size_t symbol_count_ = 0;
};

}  // namespace napi_reload::elf

#endif  // NAPI_RELOAD_ELF_H_
