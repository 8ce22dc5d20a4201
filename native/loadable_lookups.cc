// How the loader finds a symbol: by a hash table, and by versions.

#include <algorithm>
#include <set>
#include <string_view>

#include "loadable.h"

namespace napi_reload {
namespace {

// What ends a walk of records. Real images have tens.
constexpr unsigned kRecordsMax = 4096;

uint32_t HashOf(std::string_view name) {
  uint32_t hash = 5381;
  for (const char letter : name) hash = hash * 33 + static_cast<uint8_t>(letter);
  return hash;
}

// DT_GNU_HASH: a Bloom filter, then the first symbol of each bucket, then a hash for each symbol
// whose low bit is set where a bucket ends. A symbol that can't be found is a null pointer where
// the image means itself.
class GnuHash {
 public:
  GnuHash(const elf::Image& image, const uint8_t* data, size_t size)
      : image_(image), data_(data), size_(size) {}

  bool IsSound(const Segments& segments, uint64_t address) {
    const auto offset = image_.FileOffset(address, sizeof(header_));
    const auto header = offset ? elf::ReadAt<Header>(data_, size_, *offset) : std::nullopt;
    if (!header) return false;
    header_ = *header;
    // An assertion of the loader.
    const uint64_t words = header_.bloom_count;
    if (words == 0 || (words & (words - 1)) != 0) return false;
    if (header_.first_symbol > image_.symbol_count() || header_.bloom_shift >= 32) return false;
    bloom_ = *offset + sizeof(header_);
    buckets_ = bloom_ + words * 8;
    chains_ = buckets_ + uint64_t{header_.bucket_count} * 4;
    uint64_t end = chains_;
    // A table without symbols may have one bucket, and name a symbol that does not exist.
    const bool is_empty = !HasMembers();
    if (!is_empty) end += (image_.symbol_count() - header_.first_symbol) * 4;
    if (!segments.InFile(address, end - *offset, PF_R)) return false;
    return is_empty || AreMembersSound();
  }

 private:
  struct Header {
    uint32_t bucket_count;
    uint32_t first_symbol;
    uint32_t bloom_count;
    uint32_t bloom_shift;
  };

  uint32_t Bucket(uint64_t index) const {
    return elf::ReadAt<uint32_t>(data_, size_, buckets_ + index * 4).value_or(0);
  }

  bool HasMembers() const {
    for (uint64_t index = 0; index < header_.bucket_count; ++index) {
      if (Bucket(index) != 0) return true;
      if (buckets_ + index * 4 >= size_) return false;
    }
    return false;
  }

  // Every symbol is where a look-up of its name comes by, and no bucket leads elsewhere.
  bool AreMembersSound() const {
    uint64_t used = 0;
    for (uint64_t index = 0; index < header_.bucket_count; ++index) used += Bucket(index) != 0;
    uint64_t last_bucket = UINT64_MAX;
    bool is_ended = true;
    for (uint64_t index = header_.first_symbol; index < image_.symbol_count(); ++index) {
      const auto symbol = image_.SymbolAt(index);
      const auto chain =
          elf::ReadAt<uint32_t>(data_, size_, chains_ + (index - header_.first_symbol) * 4);
      if (!symbol || !chain) return false;
      const uint32_t hash = HashOf(symbol->name);
      const uint64_t bucket = hash % header_.bucket_count;
      if ((*chain | 1) != (hash | 1) || !PassesFilter(hash)) return false;
      if (is_ended != (bucket != last_bucket)) return false;
      if (is_ended && (used-- == 0 || Bucket(bucket) != index)) return false;
      last_bucket = bucket;
      is_ended = (*chain & 1) != 0;
    }
    return is_ended && used == 0;
  }

  bool PassesFilter(uint32_t hash) const {
    const uint64_t at = hash / 64 & (header_.bloom_count - 1);
    const auto word = elf::ReadAt<uint64_t>(data_, size_, bloom_ + at * 8).value_or(0);
    return (word >> hash % 64 & word >> (hash >> header_.bloom_shift) % 64 & 1) != 0;
  }

  const elf::Image& image_;
  const uint8_t* const data_;
  const size_t size_;
  Header header_ = {};
  uint64_t bloom_ = 0;
  uint64_t buckets_ = 0;
  uint64_t chains_ = 0;
};

bool IsHashSound(const elf::Image& image, const Segments& segments, const uint8_t* data,
                 size_t size, uint64_t address) {
  struct Table {
    uint32_t bucket_count;
    uint32_t chain_count;
  };
  const auto offset = image.FileOffset(address, sizeof(Table));
  const auto table = offset ? elf::ReadAt<Table>(data, size, *offset) : std::nullopt;
  if (!table || table->chain_count > image.symbol_count()) return false;
  const uint64_t words = uint64_t{table->bucket_count} + table->chain_count;
  if (!segments.InFile(address, sizeof(Table) + words * 4, PF_R)) return false;
  const auto word = [&](uint64_t index) {
    return elf::ReadAt<uint32_t>(data, size, *offset + sizeof(Table) + index * 4).value_or(0);
  };
  // No symbol is in two chains, so that more steps than symbols are a circle.
  uint64_t steps = 0;
  for (uint64_t bucket = 0; bucket < table->bucket_count; ++bucket) {
    for (uint64_t at = word(bucket); at != 0; at = word(table->bucket_count + at)) {
      if (at >= table->chain_count || ++steps > table->chain_count) return false;
    }
  }
  return true;
}

// The indexes of the versions that an image wants and defines.
class Versions {
 public:
  Versions(const elf::Image& image, const uint8_t* data, size_t size)
      : image_(image), data_(data), size_(size) {}

  bool Read() { return CollectNeeded() && ReadNeeds() && ReadDefinitions(); }
  bool Has(uint16_t index) const { return index <= VER_NDX_GLOBAL || indexes_.count(index) > 0; }
  bool empty() const { return indexes_.empty(); }

 private:
  template <typename T>
  std::optional<T> ReadAt(std::optional<uint64_t> offset) const {
    return offset ? elf::ReadAt<T>(data_, size_, *offset) : std::nullopt;
  }

  bool CollectNeeded() {
    for (size_t index = 0; index < image_.dynamic_count(); ++index) {
      const auto entry = image_.DynamicAt(index);
      if (!entry || entry->tag != DT_NEEDED) continue;
      if (const auto name = image_.StringAt(entry->value)) needed_.insert(*name);
    }
    return true;
  }

  bool ReadNeeds() {
    const auto address = image_.FindDynamic(DT_VERNEED);
    if (!address) return true;
    auto at = image_.FileOffset(*address, sizeof(Elf64_Verneed));
    for (unsigned count = 0; count < kRecordsMax; ++count) {
      const auto need = ReadAt<Elf64_Verneed>(at);
      const auto library = need ? image_.StringAt(need->vn_file) : std::nullopt;
      // An assertion of the loader: it has loaded the library by then.
      if (!library || needed_.count(*library) == 0) return false;
      if (!ReadNeed(elf::CheckedAdd(*at, need->vn_aux))) return false;
      if (need->vn_next == 0) return true;
      at = elf::CheckedAdd(*at, need->vn_next);
    }
    return false;
  }

  bool ReadNeed(std::optional<uint64_t> at) {
    for (unsigned count = 0; count < kRecordsMax; ++count) {
      const auto version = ReadAt<Elf64_Vernaux>(at);
      if (!version || !image_.StringAt(version->vna_name)) return false;
      indexes_.insert(version->vna_other & elf::kVersionIndexMask);
      if (version->vna_next == 0) return true;
      at = elf::CheckedAdd(*at, version->vna_next);
    }
    return false;
  }

  bool ReadDefinitions() {
    const auto address = image_.FindDynamic(DT_VERDEF);
    if (!address) return true;
    auto at = image_.FileOffset(*address, sizeof(Elf64_Verdef));
    for (unsigned count = 0; count < kRecordsMax; ++count) {
      const auto definition = ReadAt<Elf64_Verdef>(at);
      if (!definition) return false;
      const auto name = ReadAt<Elf64_Verdaux>(elf::CheckedAdd(*at, definition->vd_aux));
      if (!name || !image_.StringAt(name->vda_name)) return false;
      indexes_.insert(definition->vd_ndx & elf::kVersionIndexMask);
      if (definition->vd_next == 0) return true;
      at = elf::CheckedAdd(*at, definition->vd_next);
    }
    return false;
  }

  const elf::Image& image_;
  const uint8_t* const data_;
  const size_t size_;
  std::set<std::string_view> needed_;
  std::set<uint16_t> indexes_;
};

}  // namespace

const char* CheckHashes(const elf::Image& image, const Segments& segments, const uint8_t* data,
                        size_t size) {
  const auto gnu = image.FindDynamic(DT_GNU_HASH);
  if (gnu && !GnuHash(image, data, size).IsSound(segments, *gnu)) {
    return "its hash table of symbols contradicts itself";
  }
  const auto hash = image.FindDynamic(DT_HASH);
  if (hash && !IsHashSound(image, segments, data, size, *hash)) {
    return "its hash table of symbols contradicts itself";
  }
  return gnu || hash ? nullptr : "it has no hash table of symbols";
}

const char* CheckVersions(const elf::Image& image, const Segments& segments, const uint8_t* data,
                          size_t size) {
  Versions versions(image, data, size);
  if (!versions.Read()) return "the versions that it wants of libraries are malformed";
  const auto table = image.FindDynamic(DT_VERSYM);
  if (!table) return versions.empty() ? nullptr : "its symbols have no versions";
  if (versions.empty()) return "its symbols have versions that nothing defines";
  if (!segments.InFile(*table, image.symbol_count() * sizeof(Elf64_Versym), PF_R)) {
    return "the versions of its symbols lie outside the loaded segments";
  }
  const auto offset = image.FileOffset(*table, image.symbol_count() * sizeof(Elf64_Versym));
  for (size_t index = 1; offset && index < image.symbol_count(); ++index) {
    const auto version =
        elf::ReadAt<Elf64_Versym>(data, size, *offset + index * sizeof(Elf64_Versym));
    if (!version || !versions.Has(*version & elf::kVersionIndexMask)) {
      return "a symbol has a version that nothing defines";
    }
  }
  return nullptr;
}

}  // namespace napi_reload
