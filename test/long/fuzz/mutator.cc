// Changes an image where readers look: a field of a header or a table gets a value that is hostile,
// or that of another field. Random bytes alone seldom get past the ELF header.
#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "../../../native/elf.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);

namespace {

using napi_reload::elf::FileRange;
using napi_reload::elf::Image;
using napi_reload::elf::ReadAt;
using Random = std::minstd_rand;

// One mutation in so many is libFuzzer's own, and one cuts the file.
constexpr unsigned kPlainEach = 4;
constexpr unsigned kCutEach = 40;
constexpr unsigned kFieldsMax = 4;
// Of tables whose size only their content tells.
constexpr uint64_t kGuessedBytes = 256;

// The tables that lie in the file, as far as its headers are readable.
std::vector<FileRange> FindTables(const uint8_t* data, size_t size) {
  std::vector<FileRange> tables = {{0, std::min(size, sizeof(Elf64_Ehdr))}};
  const auto header = ReadAt<Elf64_Ehdr>(data, size, 0);
  if (!header) return tables;
  const auto add = [&](uint64_t offset, uint64_t bytes) {
    if (offset < size) tables.push_back({offset, std::min<uint64_t>(bytes, size - offset)});
  };
  add(header->e_phoff, uint64_t{header->e_phnum} * sizeof(Elf64_Phdr));
  add(header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr));
  Image image;
  if (!Image::Parse(data, size, &image).ok()) return tables;
  add(image.string_table().offset, image.string_table().size);
  if (const auto first = image.DynamicAt(0)) {
    // Three times, since most is read through it.
    for (int times = 0; times < 3; ++times) {
      add(first->offset, (image.dynamic_count() + 1) * sizeof(Elf64_Dyn));
    }
  }
  for (const int64_t tag : {DT_SYMTAB, DT_GNU_HASH, DT_HASH, DT_VERSYM, DT_VERNEED, DT_VERDEF,
                            DT_RELA, DT_JMPREL, DT_INIT_ARRAY, DT_FINI_ARRAY}) {
    const auto address = image.FindDynamic(tag);
    const auto offset = address ? image.FileOffset(*address, 1) : std::nullopt;
    if (!offset) continue;
    add(*offset, tag == DT_SYMTAB ? image.symbol_count() * sizeof(Elf64_Sym) : kGuessedBytes);
  }
  return tables;
}

uint64_t HostileValue(Random* random, size_t size) {
  const uint64_t values[] = {0,       1,          2,          8,          0x7f,
                             0xff,    0x7fff,     0xffff,     0x7fffffff, 0xffffffff,
                             size,    size - 1,   size + 1,   size / 2,   INT64_MAX,
                             ~0ULL,   ~0ULL - 7,  1ULL << 63, 1ULL << 32, (*random)(),
                             DT_NULL, DT_VERNEED, DT_SONAME,  DT_RPATH,   DT_RUNPATH};
  return values[(*random)() % std::size(values)];
}

void ChangeField(uint8_t* data, size_t size, const FileRange& table, Random* random) {
  static constexpr size_t kWidths[] = {1, 2, 4, 8, 8};
  const size_t width = kWidths[(*random)() % std::size(kWidths)];
  if (table.size < width) return;
  const auto field = [&] {
    return data + table.offset + (*random)() % (table.size / width) * width;
  };
  uint8_t* const at = field();
  uint64_t value = HostileValue(random, size);
  const unsigned way = (*random)() % 4;
  if (way == 0) std::memcpy(&value, field(), width);
  if (way == 1) {
    uint64_t old = 0;
    std::memcpy(&old, at, width);
    value = old + (*random)() % 33 - 16;
  }
  std::memcpy(at, &value, width);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed) {
  Random random(seed + 1);
  if (size < sizeof(Elf64_Ehdr) || random() % kPlainEach == 0) {
    return LLVMFuzzerMutate(data, size, size_max);
  }
  if (random() % kCutEach == 0) return 1 + random() % size;
  for (unsigned left = 1 + random() % kFieldsMax; left > 0; --left) {
    const auto tables = FindTables(data, size);
    ChangeField(data, size, tables[random() % tables.size()], &random);
  }
  // A file that isn't ELF is refused by its first bytes, and one look at that is enough.
  if (random() % kCutEach != 0) std::memcpy(data, ELFMAG "\2\1\1", EI_VERSION + 1);
  return size;
}
