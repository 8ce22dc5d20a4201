#include "pristine.h"

#include <cerrno>
#include <utility>

#include "hash.h"
#include "source_file.h"

namespace napi_reload {
namespace {

using Bytes = std::vector<uint8_t>;

IoFailure Damaged(const std::string& path) { return IoFailure{"check", path, EIO}; }

IoFailure FailureOf(const Unusable& unusable, const std::string& path) {
  const auto* const failure = std::get_if<IoFailure>(&unusable);
  return failure == nullptr ? Damaged(path) : *failure;
}

// `before` is null for a file that was written as it came.
std::variant<Bytes, IoFailure> Read(const std::string& path, const Overwritten* before,
                                    const std::string& hash) {
  const auto opened = SourceFile::Open(path);
  const auto* const file = std::get_if<SourceFile>(&opened);
  if (file == nullptr) return FailureOf(std::get<Unusable>(opened), path);
  auto read = file->Read();
  auto* const bytes = std::get_if<Bytes>(&read);
  if (bytes == nullptr) return FailureOf(std::get<Unusable>(read), path);
  if (before != nullptr && !before->PutBack(bytes->data(), bytes->size())) return Damaged(path);
  Sha256 sha;
  sha.Update(bytes->data(), bytes->size());
  if (sha.FinishHex() != hash) return Damaged(path);
  return std::move(*bytes);
}

}  // namespace

std::variant<Bytes, IoFailure> ReadPristine(const Kept& kept) {
  return Read(kept.path, kept.origin ? &kept.origin->addon : nullptr, kept.hash);
}

std::variant<Bytes, IoFailure> ReadPristineLibrary(const Kept& kept, size_t index) {
  const bool is_known = kept.origin != nullptr && index < kept.libraries.size() &&
                        index < kept.origin->libraries.size();
  if (!is_known) return Damaged(kept.path);
  const std::string& hash = kept.origin->closure.libraries[index].hash;
  return Read(kept.libraries[index], &kept.origin->libraries[index], hash);
}

std::variant<Closure, IoFailure> ReadPristineClosure(const Kept& kept) {
  Closure closure = kept.origin->closure;
  for (size_t index = 0; index < closure.libraries.size(); ++index) {
    auto bytes = ReadPristineLibrary(kept, index);
    if (auto* failure = std::get_if<IoFailure>(&bytes)) return std::move(*failure);
    closure.libraries[index].bytes = std::move(std::get<Bytes>(bytes));
  }
  return closure;
}

}  // namespace napi_reload
