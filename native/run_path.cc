#include "run_path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "loader_cache.h"
#include "posix.h"
#include "rebind.h"

namespace napi_reload {
namespace {

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
  // npm's global folder is below /usr/lib on some systems.
  if (path.find("/node_modules/") != std::string::npos) return false;
  for (const char* const prefix : {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/"}) {
    if (StartsWith(path, prefix)) return true;
  }
  return false;
}

std::string ExpandOrigin(std::string path, const std::string& origin) {
  for (const std::string token : {"${ORIGIN}", "$ORIGIN"}) {
    for (size_t at = path.find(token); at != std::string::npos;
         at = path.find(token, at + origin.size())) {
      path.replace(at, token.size(), origin);
    }
  }
  return path;
}

void Split(const std::string& list, const std::string& origin, std::vector<std::string>* folders) {
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find(':', begin), list.size());
    // An empty entry, or a relative one, means the working directory: that is nobody's own.
    const std::string folder = ExpandOrigin(list.substr(begin, end - begin), origin);
    if (StartsWith(folder, "/")) folders->push_back(folder);
    begin = end + 1;
  }
}

// Whether the loader stops at this file: it passes over what it can't open, and over images for
// other processors.
bool IsTaken(const std::string& path) {
  const Fd file(Retry([&] { return open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
  if (!file.ok()) return errno != ENOENT && errno != EACCES && errno != ENOTDIR;
  Elf64_Ehdr header = {};
  // One that is being written has no header yet; who reads it will wait.
  const bool is_whole = ReadWhole(file.get(), &header, sizeof(header), 0);
  if (!is_whole || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return true;
  return header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
         header.e_machine == kRebindMachine;
}

// The loader reads the variable once, before anybody can change it.
const std::vector<std::string>& EnvironmentFolders() {
  static const auto* const folders = [] {
    auto* const found = new std::vector<std::string>;
    const char* const value = getenv("LD_LIBRARY_PATH");
    if (value != nullptr) Split(value, "", found);
    return found;
  }();
  return *folders;
}

std::string FindIn(const std::vector<std::string>& folders, const std::string& name,
                   std::vector<std::string>* looked) {
  for (const std::string& folder : folders) {
    const std::string path = folder + "/" + name;
    if (looked != nullptr && !IsSystemPath(path)) looked->push_back(path);
    if (IsTaken(path)) return path;
  }
  return "";
}

}  // namespace

RunPath ReadRunPath(const elf::Image& image, const std::string& path,
                    const std::vector<std::string>& inherited) {
  RunPath result;
  result.origin = path.substr(0, path.rfind('/'));
  const auto runpath = image.FindDynamicString(DT_RUNPATH);
  // DT_RUNPATH silences DT_RPATH, its own and that of those above; theirs still goes on below it.
  if (!runpath) {
    Split(std::string(image.FindDynamicString(DT_RPATH).value_or("")), result.origin,
          &result.passed_on);
  }
  result.passed_on.insert(result.passed_on.end(), inherited.begin(), inherited.end());
  if (runpath) {
    Split(std::string(*runpath), result.origin, &result.folders);
    result.after_environment = true;
  } else {
    result.folders = result.passed_on;
  }
  return result;
}

std::string FindPrivate(const std::string& name, const RunPath& run_path,
                        std::vector<std::string>* looked) {
  if (IsToolchain(name.substr(name.rfind('/') + 1))) return "";
  std::string found;
  if (name.find('/') != std::string::npos) {
    const std::string path = ExpandOrigin(name, run_path.origin);
    if (!StartsWith(path, "/")) return "";
    looked->push_back(path);
    if (IsTaken(path)) found = path;
  } else if (!run_path.after_environment || FindIn(EnvironmentFolders(), name, nullptr).empty()) {
    found = FindIn(run_path.folders, name, looked);
  }
  return found.empty() || IsSystemPath(RealPath(found)) ? "" : found;
}

std::string FindLibrary(const std::string& name, const RunPath& run_path) {
  if (name.find('/') != std::string::npos) {
    const std::string path = ExpandOrigin(name, run_path.origin);
    return IsTaken(path) ? path : "";
  }
  const auto& environment = EnvironmentFolders();
  const auto& first = run_path.after_environment ? environment : run_path.folders;
  const auto& second = run_path.after_environment ? run_path.folders : environment;
  std::string found = FindIn(first, name, nullptr);
  if (found.empty()) found = FindIn(second, name, nullptr);
  if (!found.empty()) return found;
  for (const std::string& path : LoaderCache::OfSystem().Find(name)) {
    if (IsTaken(path)) return path;
  }
  return FindIn({"/lib64", "/usr/lib64", "/lib", "/usr/lib"}, name, nullptr);
}

std::string RealPath(const std::string& path) {
  char* const found = realpath(path.c_str(), nullptr);
  if (found == nullptr) return path;
  std::string result(found);
  free(found);
  return result;
}

}  // namespace napi_reload
