#include "copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "hash.h"

namespace napi_reload {
namespace {

constexpr size_t kHashDigitsInName = 16;
bool WriteBytes(int fd, const std::vector<uint8_t>& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = Retry([&] { return write(fd, bytes.data() + done, bytes.size() - done); });
    if (put < 0) return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

std::variant<std::string, IoFailure> WriteCopy(const std::shared_ptr<StageDirectory>& directory,
                                               const std::vector<uint8_t>& bytes,
                                               const std::string& name, bool finished) {
  auto created = directory->CreateNamed(name, finished);
  if (auto* failure = std::get_if<IoFailure>(&created)) return std::move(*failure);
  PendingFile file = std::move(std::get<PendingFile>(created));
  if (!WriteBytes(file.fd(), bytes)) return IoFailure{"write", directory->path(), errno};
  if (directory->closed()) return IoFailure{"write", directory->path(), ECANCELED};
  file.Keep();
  return directory->path() + "/" + name;
}

std::string NameOf(const StageRequest& request, const std::string& hash) {
  return std::to_string(request.id) + "-" + hash.substr(0, kHashDigitsInName) + ".node";
}

Staged StagedAs(std::string path, Contents contents, const SourceFile& source, CopyMethod method) {
  Staged staged;
  staged.path = std::move(path);
  staged.contents = std::move(contents);
  staged.bytes = source.size();
  staged.file = source.Identity();
  staged.mtime_ms = source.mtime_ms();
  staged.method = method;
  return staged;
}

// What a version is made of, in memory.
struct Material {
  std::vector<uint8_t> bytes;
  Closure closure;
};

Contents ContentsOf(std::string hash, const Closure& closure) {
  Contents contents;
  contents.fingerprint = Fingerprint(hash, closure.libraries);
  contents.hash = std::move(hash);
  contents.looked = closure.looked;
  for (const PrivateLibrary& library : closure.libraries) {
    contents.libraries.push_back(
        {library.source, library.identity, library.hash, library.mtime_ms});
  }
  return contents;
}

bool IsToSkip(const StageRequest& request, const Contents& contents) {
  return request.skip == contents.fingerprint || request.skip == contents.hash;
}

std::variant<Closure, Unusable> FindLibraries(const StageRequest& request, const uint8_t* data,
                                              size_t size) {
  if (!request.find_libraries) return Closure{};
  return FindPrivateLibraries(request.source, data, size);
}

std::variant<Closure, Unusable> FindLibraries(const StageRequest& request,
                                              const PendingFile& target, size_t size) {
  if (!request.find_libraries) return Closure{};
  // A mapping is safe: nobody else knows of this file.
  const Mapping mapping(target.fd(), size);
  if (!mapping.ok()) return Unusable(IoFailure{"mmap", request.source, errno});
  return FindPrivateLibraries(request.source, mapping.data(), size);
}

std::variant<Material, Unusable> ReadMaterial(const StageRequest& request,
                                              const SourceFile& source) {
  auto read = source.Read();
  if (auto* unusable = std::get_if<Unusable>(&read)) return std::move(*unusable);
  auto bytes = std::move(std::get<SourceFile::Bytes>(read));
  auto found = FindLibraries(request, bytes.data(), bytes.size());
  if (auto* unusable = std::get_if<Unusable>(&found)) return std::move(*unusable);
  return Material{std::move(bytes), std::move(std::get<Closure>(found))};
}

// A version that was not rebound has its libraries in place, where they are whatever they are now.
std::variant<Material, Unusable> ReadKept(const StageRequest& request) {
  auto read = ReadPristine(*request.kept);
  if (auto* failure = std::get_if<IoFailure>(&read)) return Unusable(std::move(*failure));
  auto bytes = std::move(std::get<std::vector<uint8_t>>(read));
  if (request.kept->origin) {
    auto closure = ReadPristineClosure(*request.kept);
    if (auto* failure = std::get_if<IoFailure>(&closure)) return Unusable(std::move(*failure));
    return Material{std::move(bytes), std::move(std::get<Closure>(closure))};
  }
  auto found = FindLibraries(request, bytes.data(), bytes.size());
  if (auto* unusable = std::get_if<Unusable>(&found)) return std::move(*unusable);
  return Material{std::move(bytes), std::move(std::get<Closure>(found))};
}

// Rebinds the bytes, or leaves them as they are and says why.
std::optional<IoFailure> RebindInMemory(const std::shared_ptr<StageDirectory>& directory,
                                        Material* material, Staged* staged) {
  auto copy = material->bytes;
  const auto write = [&directory](const std::string& name, const std::vector<uint8_t>& library) {
    return WriteCopy(directory, library, name, true);
  };
  auto result = RebindAddon(std::move(material->closure), write, copy.data(), copy.size());
  if (auto* failure = std::get_if<IoFailure>(&result)) return std::move(*failure);
  if (auto* refused = std::get_if<Refused>(&result)) {
    staged->binding = std::move(*refused);
  } else {
    staged->binding = std::move(std::get<Rebound>(result));
    material->bytes.swap(copy);
  }
  return std::nullopt;
}

// Each step works on the same bytes, which are written once. `staged` has its contents.
StageResult StageInMemory(const std::shared_ptr<StageDirectory>& directory,
                          const StageRequest& request, Material material, Staged staged) {
  if (request.examine) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    staged.facts = ReadFacts(material.bytes.data(), material.bytes.size(), page);
    if (request.rebind && std::holds_alternative<ImageFacts>(*staged.facts)) {
      if (auto failure = RebindInMemory(directory, &material, &staged)) return std::move(*failure);
    }
  }
  const std::string name = NameOf(request, staged.contents.hash);
  auto path = WriteCopy(directory, material.bytes, name, request.examine);
  if (auto* failure = std::get_if<IoFailure>(&path)) {
    const auto* rebound = staged.binding ? std::get_if<Rebound>(&*staged.binding) : nullptr;
    if (rebound != nullptr) RemoveFiles(rebound->libraries);
    return std::move(*failure);
  }
  staged.path = std::move(std::get<std::string>(path));
  return staged;
}

// The way of a small file.
StageResult StageSmall(const std::shared_ptr<StageDirectory>& directory,
                       const StageRequest& request, const SourceFile& source) {
  auto read = ReadMaterial(request, source);
  if (auto* unusable = std::get_if<Unusable>(&read)) return As<StageResult>(std::move(*unusable));
  auto material = std::move(std::get<Material>(read));
  Sha256 sha;
  sha.Update(material.bytes.data(), material.bytes.size());
  Contents contents = ContentsOf(sha.FinishHex(), material.closure);
  if (IsToSkip(request, contents)) return Same{std::move(contents)};
  Staged staged = StagedAs("", std::move(contents), source, CopyMethod::kRead);
  return StageInMemory(directory, request, std::move(material), std::move(staged));
}

StageResult StageKept(const std::shared_ptr<StageDirectory>& directory,
                      const StageRequest& request) {
  auto read = ReadKept(request);
  if (auto* unusable = std::get_if<Unusable>(&read)) return As<StageResult>(std::move(*unusable));
  auto material = std::move(std::get<Material>(read));
  Staged staged;
  staged.contents = ContentsOf(request.kept->hash, material.closure);
  staged.bytes = material.bytes.size();
  return StageInMemory(directory, request, std::move(material), std::move(staged));
}

}  // namespace

StageResult StageFile(const std::shared_ptr<StageDirectory>& directory,
                      const StageRequest& request) {
  if (request.kept) return StageKept(directory, request);
  auto opened = SourceFile::Open(request.source);
  if (auto* unusable = std::get_if<Unusable>(&opened)) {
    return As<StageResult>(std::move(*unusable));
  }
  const SourceFile& source = std::get<SourceFile>(opened);
  if (request.examine && source.size() <= kReadBytesMax) {
    return StageSmall(directory, request, source);
  }

  auto created = directory->CreateFile();
  if (auto* failure = std::get_if<IoFailure>(&created)) return std::move(*failure);
  const PendingFile target = std::move(std::get<PendingFile>(created));
  Transfer transfer(source.fd(), target.fd(), source.size());
  if (const char* operation = transfer.Run()) {
    const bool reading = std::string(operation) == "read";
    return IoFailure{operation, reading ? request.source : directory->path(), errno};
  }
  if (auto change = source.FindChange()) return As<StageResult>(std::move(*change));
  if (transfer.hashed() != source.size()) {
    return Incomplete{request.source, "it changed while it was copied", transfer.hashed(),
                      source.mtime_ms()};
  }
  auto found = FindLibraries(request, target, static_cast<size_t>(source.size()));
  if (auto* unusable = std::get_if<Unusable>(&found)) return As<StageResult>(std::move(*unusable));
  Contents contents = ContentsOf(transfer.FinishHex(), std::get<Closure>(found));
  if (IsToSkip(request, contents)) return Same{std::move(contents)};
  // No fsync: a staged file is of use only to the process that made it.
  auto path = directory->Publish(target, NameOf(request, contents.hash));
  if (auto* failure = std::get_if<IoFailure>(&path)) return std::move(*failure);
  return StagedAs(std::move(std::get<std::string>(path)), std::move(contents), source,
                  transfer.method());
}

}  // namespace napi_reload
