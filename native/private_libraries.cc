#include "private_libraries.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <optional>

#include "elf.h"

namespace napi_reload {
namespace {

// A closure of private libraries is small; more is a loop or a mistake.
constexpr size_t kLibrariesMax = 64;
// Digits of a name that tell versions apart: 36^4 names for each length and stem.
constexpr size_t kTagDigits = 4;

using Bytes = std::vector<uint8_t>;

std::optional<Bytes> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (!file || size < 0) return std::nullopt;
  Bytes bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  if (!file) return std::nullopt;
  return bytes;
}

bool WriteFile(const std::string& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  return file.good();
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string RealPath(const std::string& path) {
  char* const found = realpath(path.c_str(), nullptr);
  if (found == nullptr) return "";
  const std::string result(found);
  free(found);
  return result;
}

bool StartsWith(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

bool IsToolchain(const std::string& name) {
  for (const char* const prefix :
       {"libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so", "libgcc_s.so",
        "libstdc++.so", "libatomic.so", "libgomp.so", "libasan.so", "libtsan.so", "libubsan.so",
        "ld-linux", "linux-vdso"}) {
    if (StartsWith(name, prefix)) return true;
  }
  return false;
}

bool IsSystemPath(const std::string& path) {
  for (const char* const prefix : {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/"}) {
    if (StartsWith(path, prefix)) return true;
  }
  return false;
}

std::string ExpandOrigin(std::string path, const std::string& origin) {
  for (const std::string token : {"$ORIGIN", "${ORIGIN}"}) {
    const size_t at = path.find(token);
    if (at != std::string::npos) path.replace(at, token.size(), origin);
  }
  return path;
}

// The file that the loader would take for `name`, if it is a private one.
std::string FindPrivate(const std::string& name, const std::string& search,
                        const std::string& origin) {
  if (name.find('/') != std::string::npos || IsToolchain(name)) return "";
  for (size_t begin = 0; begin <= search.size();) {
    size_t end = search.find(':', begin);
    if (end == std::string::npos) end = search.size();
    const std::string directory = ExpandOrigin(search.substr(begin, end - begin), origin);
    const std::string path = directory.empty() ? "" : RealPath(directory + "/" + name);
    if (!path.empty()) return IsSystemPath(path) ? "" : path;
    begin = end + 1;
  }
  return "";
}

// A name of equal length that this process never used; empty when it is too short for one.
std::string FreshName(const std::string& name) {
  static std::atomic<uint32_t> next{0};
  if (name.size() <= kTagDigits) return "";
  uint32_t tag = next.fetch_add(1);
  std::string fresh = name;
  for (size_t digit = 1; digit <= kTagDigits; ++digit, tag /= 36) {
    fresh[fresh.size() - digit] = "0123456789abcdefghijklmnopqrstuvwxyz"[tag % 36];
  }
  return fresh;
}

class Stager {
 public:
  explicit Stager(const std::string& directory) : directory_(directory) {}

  RebindAddonResult Run(const std::string& source, uint8_t* data, size_t size) {
    Visit(RealPath(source), data, size, "", "");
    if (!result_.addon.ok()) RemoveLibraries();
    return std::move(result_);
  }

 private:
  bool Refuse(const std::string& reason) {
    if (result_.addon.ok()) result_.addon.refusal = reason;
    return false;
  }

  // Rebinds one file of the closure, its private libraries before it.
  bool Visit(const std::string& path, uint8_t* data, size_t size, const std::string& soname,
             const std::string& inherited) {
    elf::Image image;
    const elf::ParseResult parsed = elf::Image::Parse(data, size, &image);
    if (!parsed.ok()) return Refuse(parsed.found);
    const std::string rpath(image.FindDynamicString(DT_RPATH).value_or(""));
    const std::string runpath(image.FindDynamicString(DT_RUNPATH).value_or(""));
    // RPATH also serves the libraries below, RUNPATH only the file itself, and silences RPATH.
    const std::string passed = rpath.empty() ? inherited : rpath + ":" + inherited;
    RebindOptions options;
    options.soname = soname;
    for (size_t index = 0; index < image.dynamic_count(); ++index) {
      const auto entry = image.DynamicAt(index);
      if (!entry || entry->tag != DT_NEEDED) continue;
      const auto needed = image.StringAt(entry->value);
      if (!needed) return Refuse("its dynamic strings are malformed");
      const std::string name(*needed);
      const std::string found =
          FindPrivate(name, runpath.empty() ? passed : runpath, DirectoryOf(path));
      if (found.empty()) continue;
      const Staged* const library = StageLibrary(found, name, passed);
      if (library == nullptr) return false;
      options.libraries[name] = library->name;
      if (!library->has_soname) options.search_origin = true;
    }
    const RebindResult rebound = Rebind(data, size, options);
    if (!rebound.ok()) return Refuse(rebound.refusal);
    Merge(rebound);
    return true;
  }

  struct Staged {
    std::string name;
    bool has_soname;
  };

  const Staged* StageLibrary(const std::string& path, const std::string& name,
                             const std::string& inherited) {
    const auto known = staged_libraries_.find(path);
    if (known != staged_libraries_.end()) return &known->second;
    const std::string fresh = FreshName(name);
    auto bytes = ReadFile(path);
    elf::Image image;
    if (!bytes || staged_libraries_.size() >= kLibrariesMax || fresh.empty() ||
        !elf::Image::Parse(bytes->data(), bytes->size(), &image).ok()) {
      Refuse("its private library \"" + name + "\" can't be given a name of its own");
      return nullptr;
    }
    const auto soname = image.FindDynamicString(DT_SONAME);
    // Entered before it is visited, so that a cycle ends.
    Staged& library = staged_libraries_[path];
    library = {fresh, soname.has_value()};
    if (!Visit(path, bytes->data(), bytes->size(), fresh, inherited)) return nullptr;
    const std::string staged = directory_ + "/" + fresh;
    result_.libraries.push_back({path, staged});
    if (!WriteFile(staged, *bytes)) {
      Refuse("its private library \"" + name + "\" can't be staged");
      return nullptr;
    }
    return &library;
  }

  void Merge(const RebindResult& one) {
    RebindResult& all = result_.addon;
    all.redirected.insert(all.redirected.end(), one.redirected.begin(), one.redirected.end());
    all.unique_healed += one.unique_healed;
    all.uses_uv |= one.uses_uv;
    all.uses_uv_requests |= one.uses_uv_requests;
  }

  void RemoveLibraries() {
    for (const PrivateLibrary& library : result_.libraries) unlink(library.staged.c_str());
    result_.libraries.clear();
  }

  const std::string& directory_;
  std::map<std::string, Staged> staged_libraries_;
  RebindAddonResult result_;
};

}  // namespace

RebindAddonResult RebindAddon(const std::string& source, const std::string& directory,
                              uint8_t* data, size_t size) {
  return Stager(directory).Run(source, data, size);
}

}  // namespace napi_reload
