// All of the shim that reads an image's bytes, on bytes that libFuzzer makes up.
//
// Built by ledger-fuzz.sh with clang and sanitizers, and by the tests with g++ and replay.cc. The
// private libraries are looked for in the folder that FUZZ_FOLDER names, which holds a libcore.so.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../../../native/anatomy.h"
#include "../../../native/facts.h"
#include "../../../native/interpose/table.h"
#include "../../../native/loader_cache.h"
#include "../../../native/private_libraries.h"
#include "../../../native/rebind.h"
#include "../../../native/rebind_addon.h"
#include "../../../native/strings.h"
#include "../../../native/whole.h"

namespace napi_reload::interpose {

// Any address will do: nothing is loaded.
const void* FindRedirect(std::string_view name) {
  return name.substr(0, 5) == "napi_" ? &stdout : nullptr;
}

}  // namespace napi_reload::interpose

namespace {

using napi_reload::elf::Image;

constexpr uint64_t kPageBytes = 4096;
// Of what is asked for each symbol, and of what is compared with all others.
constexpr size_t kSymbolsMax = 512;
constexpr size_t kStringsMax = 64;

class Source : public napi_reload::ByteSource {
 public:
  Source(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool ReadAt(uint64_t offset, void* to, size_t size) const override {
    if (size > size_ || offset > size_ - size) return false;
    std::memcpy(to, data_ + offset, size);
    return true;
  }

 private:
  const uint8_t* const data_;
  const size_t size_;
};

// Reads each byte, so that a sanitizer sees one that is outside.
void Touch(std::string_view text) {
  volatile char sink = 0;
  for (const char letter : text) sink = static_cast<char>(sink ^ letter);
}

void AskForVersions(const Image& image) {
  const size_t count = std::min(image.symbol_count(), kSymbolsMax);
  for (size_t index = 0; index < count; ++index) {
    if (const auto symbol = image.SymbolAt(index)) Touch(symbol->name);
    const auto version = image.VersionIndexAt(index);
    if (!version) continue;
    const auto need = image.FindVersionNeed(*version);
    if (!need) continue;
    Touch(need->library);
    Touch(need->version);
  }
}

void Read(const uint8_t* data, size_t size) {
  napi_reload::CheckWholeness(Source(data, size), size);
  napi_reload::ReadFacts(data, size, kPageBytes);
  Image image;
  if (!Image::Parse(data, size, &image).ok()) return;
  AskForVersions(image);
  napi_reload::ReadAnatomy(image, data, size);
  napi_reload::StringUses uses;
  if (!CollectStrings(image, data, size, &uses)) return;
  for (const auto& use : uses) Touch(use.text);
  for (size_t at = 0; at < std::min(uses.size(), kStringsMax); ++at) SharesBytes(uses, uses[at]);
}

// Of the exact size, so that a sanitizer sees the first byte outside.
std::unique_ptr<uint8_t[]> Copy(const uint8_t* data, size_t size) {
  auto copy = std::make_unique<uint8_t[]>(size);
  std::copy_n(data, size, copy.get());
  return copy;
}

void RebindAlone(const uint8_t* data, size_t size) {
  napi_reload::RebindOptions options;
  options.libraries["libcore.so"] = "libcore.00";
  options.soname = "libcore.00";
  options.search_origin = true;
  const auto copy = Copy(data, size);
  napi_reload::Rebind(copy.get(), size, options);
}

void RebindWithLibraries(const uint8_t* data, size_t size) {
  static const char* const folder = std::getenv("FUZZ_FOLDER");
  if (folder == nullptr) return;
  const auto copy = Copy(data, size);
  auto found =
      napi_reload::FindPrivateLibraries(std::string(folder) + "/addon.node", copy.get(), size);
  auto* const closure = std::get_if<napi_reload::Closure>(&found);
  if (closure == nullptr || !closure->refusal.empty()) return;
  const auto write = [](const std::string& name, const std::vector<uint8_t>&) {
    return std::variant<std::string, napi_reload::IoFailure>(name);
  };
  napi_reload::RebindAddon(std::move(*closure), write, copy.get(), size);
}

// The loader's list is not hostile, but read in the same way.
void ReadAsCache(const uint8_t* data, size_t size) {
  std::string bytes = "glibc-ld.so.cache1.1";
  bytes.append(reinterpret_cast<const char*>(data), size);
  napi_reload::LoaderCache(std::move(bytes)).Find("");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Read(data, size);
  RebindAlone(data, size);
  RebindWithLibraries(data, size);
  ReadAsCache(data, size);
  return 0;
}
