#include "whole.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

namespace napi_reload {
namespace {

using Head = std::array<uint8_t, sizeof(Elf64_Ehdr)>;

// Headers that one read brings in: most files need one read for each table.
constexpr size_t kHeadersPerRead = 64;

WholenessResult Incomplete(std::string found) { return {Wholeness::kIncomplete, std::move(found)}; }
WholenessResult Foreign(std::string found) { return {Wholeness::kForeign, std::move(found)}; }

bool StartsWith(const Head& head, std::string_view magic) {
  return std::memcmp(head.data(), magic.data(), magic.size()) == 0;
}

bool IsTextByte(uint8_t byte) {
  return byte >= 0x80 || (byte >= 0x20 && byte != 0x7f) || (byte >= '\t' && byte <= '\r');
}

std::string Describe(const Head& head, size_t known) {
  using namespace std::string_view_literals;
  struct Magic {
    std::string_view bytes;
    const char* name;
  };
  static constexpr Magic kMagics[] = {
      {"MZ"sv, "a Windows PE file"},
      {"\xfe\xed\xfa\xce"sv, "a Mach-O file"},
      {"\xfe\xed\xfa\xcf"sv, "a Mach-O file"},
      {"\xce\xfa\xed\xfe"sv, "a Mach-O file"},
      {"\xcf\xfa\xed\xfe"sv, "a Mach-O file"},
      {"\xca\xfe\xba\xbe"sv, "a Mach-O file"},
      {"\xca\xfe\xba\xbf"sv, "a Mach-O file"},
      {"\xbe\xba\xfe\xca"sv, "a Mach-O file"},
      {"\xbf\xba\xfe\xca"sv, "a Mach-O file"},
      {"!<arch>\n"sv, "a static library"},
      {"!<thin>\n"sv, "a static library"},
      {"\0asm"sv, "a WebAssembly file"},
      {"PK\x03\x04"sv, "a zip file"},
      {"\x1f\x8b"sv, "a gzip file"},
      {"#!"sv, "a script"},
  };
  for (const Magic& magic : kMagics) {
    if (StartsWith(head, magic.bytes)) return magic.name;
  }
  const bool is_text = std::all_of(head.begin(), head.begin() + known, IsTextByte);
  return is_text ? "text" : "not an ELF file";
}

// The end of a stretch of the file; an overflow is an end that no file reaches.
uint64_t EndOf(uint64_t offset, uint64_t size) {
  return size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
}

std::string EndsPast(const std::string& what, uint64_t end, uint64_t size) {
  const char* verb = what.back() == 's' ? " end at byte " : " ends at byte ";
  return what + verb + std::to_string(end) + " of " + std::to_string(size);
}

// Calls `visit(header, index)` for each header of a table until one call returns something.
template <typename T, typename Visit>
std::optional<WholenessResult> VisitTable(const ByteSource& source, uint64_t offset, size_t count,
                                          Visit visit) {
  std::array<T, kHeadersPerRead> headers;
  for (size_t first = 0; first < count; first += kHeadersPerRead) {
    const size_t now = std::min(kHeadersPerRead, count - first);
    if (!source.ReadAt(offset + first * sizeof(T), headers.data(), now * sizeof(T))) {
      return Incomplete("it became shorter while its headers were read");
    }
    for (size_t index = 0; index < now; ++index) {
      if (auto result = visit(headers[index], first + index)) return result;
    }
  }
  return std::nullopt;
}

std::optional<WholenessResult> CheckSegments(const ByteSource& source, const Elf64_Ehdr& header,
                                             uint64_t size) {
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return std::nullopt;  // malformed: not judged here
  const uint64_t end = EndOf(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr));
  if (end > size) return Incomplete(EndsPast("the program headers", end, size));
  const auto check = [&](const Elf64_Phdr& segment,
                         size_t index) -> std::optional<WholenessResult> {
    const uint64_t segment_end = EndOf(segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_LOAD && segment_end > size) {
      return Incomplete(EndsPast("segment " + std::to_string(index), segment_end, size));
    }
    if (segment.p_type != PT_DYNAMIC) return std::nullopt;
    // Some linkers give the file its size and headers first, and fill it later.
    Elf64_Dyn first = {};
    if (!source.ReadAt(segment.p_offset, &first, sizeof(first)) || first.d_tag == DT_NULL) {
      return Incomplete("its dynamic section is not written yet");
    }
    return std::nullopt;
  };
  return VisitTable<Elf64_Phdr>(source, header.e_phoff, header.e_phnum, check);
}

std::optional<WholenessResult> CheckSections(const ByteSource& source, const Elf64_Ehdr& header,
                                             uint64_t size) {
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return std::nullopt;
  const uint64_t end = EndOf(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
  if (end > size) return Incomplete(EndsPast("the section headers", end, size));
  bool all_null = header.e_shnum > 1;
  const auto check = [&](const Elf64_Shdr& section,
                         size_t index) -> std::optional<WholenessResult> {
    if (section.sh_type == SHT_NULL) return std::nullopt;
    all_null = false;
    if (section.sh_type == SHT_NOBITS) return std::nullopt;
    const uint64_t section_end = EndOf(section.sh_offset, section.sh_size);
    if (section_end <= size) return std::nullopt;
    return Incomplete(EndsPast("section " + std::to_string(index), section_end, size));
  };
  auto result = VisitTable<Elf64_Shdr>(source, header.e_shoff, header.e_shnum, check);
  if (!result && all_null) result = Incomplete("its section headers are not written yet");
  return result;
}

WholenessResult CheckElf(const ByteSource& source, const Head& head, uint64_t size) {
  if (size <= EI_DATA) return Incomplete("its header is cut off");
  if (head[EI_CLASS] != ELFCLASS64 || head[EI_DATA] != ELFDATA2LSB) return {};
  if (size < sizeof(Elf64_Ehdr)) return Incomplete("its header is cut off");
  Elf64_Ehdr header;
  std::memcpy(&header, head.data(), sizeof(header));
  if (header.e_phnum == 0 && header.e_shoff == 0) {
    return Incomplete("its header names no segments and no sections");
  }
  if (auto result = CheckSegments(source, header, size)) return std::move(*result);
  if (auto result = CheckSections(source, header, size)) return std::move(*result);
  return {};
}

}  // namespace

WholenessResult CheckWholeness(const ByteSource& source, uint64_t size) {
  if (size == 0) return Incomplete("it is empty");
  Head head = {};
  const size_t known = static_cast<size_t>(std::min<uint64_t>(size, head.size()));
  if (!source.ReadAt(0, head.data(), known)) return Incomplete("it became shorter");
  const bool zeros =
      std::all_of(head.begin(), head.begin() + known, [](uint8_t byte) { return byte == 0; });
  if (zeros) return Incomplete("it begins with zeros");
  const size_t magic = std::min<size_t>(known, SELFMAG);
  if (std::memcmp(head.data(), ELFMAG, magic) != 0) return Foreign(Describe(head, known));
  return CheckElf(source, head, size);
}

}  // namespace napi_reload
