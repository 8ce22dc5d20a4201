#include "dependencies.h"

#include <dlfcn.h>

#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "run_path.h"
#include "source_file.h"

namespace napi_reload {
namespace {

// Of all that one addon needs, directly or not; real ones need tens.
constexpr size_t kLibrariesMax = 256;

// Whether what this process has loaded gives the symbol, and whether it is sure that nobody else
// will: then the library that has to is loaded, too.
struct Found {
  bool given = false;
  bool final = false;
};

Found AskProcess(const Import& import) {
  const char* const name = import.name.c_str();
  if (import.version.empty()) return {dlsym(RTLD_DEFAULT, name) != nullptr, false};
  const char* const version = import.version.c_str();
  if (dlvsym(RTLD_DEFAULT, name, version) != nullptr) return {true, true};
  // A path would be opened, whatever it leads to.
  if (import.library.find('/') != std::string::npos) return {};
  void* const library = dlopen(import.library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return {};
  const bool given = dlvsym(library, name, version) != nullptr;
  dlclose(library);
  return {given, true};
}

bool IsOfNode(std::string_view name) {
  for (const std::string_view prefix : {"napi_", "node_api_", "uv_"}) {
    if (name.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

class Finder {
 public:
  explicit Finder(const std::vector<Import>& imports) {
    for (const Import& import : imports) {
      if (import.weak) continue;
      const Found found = AskProcess(import);
      if (!found.given) open_.emplace(import.name, Open{import.version, found.final});
    }
  }

  Dependencies Run(const std::string& path, const elf::Image& image) {
    Visit(path, image, {});
    for (const auto& [name, open] : open_) {
      // A library that was not found may give it, unless only Node.js does.
      if (!result_.missing.empty() && !open.final && !IsOfNode(name)) continue;
      result_.undefined.push_back(open.version.empty() ? name : name + "@" + open.version);
    }
    return std::move(result_);
  }

 private:
  struct Open {
    std::string version;
    bool final;
  };

  void Visit(const std::string& path, const elf::Image& image,
             const std::vector<std::string>& inherited) {
    const RunPath run_path = ReadRunPath(image, path, inherited);
    for (size_t index = 0; index < image.dynamic_count(); ++index) {
      const auto entry = image.DynamicAt(index);
      if (!entry || entry->tag != DT_NEEDED) continue;
      const auto name = image.StringAt(entry->value);
      if (!name || seen_.size() >= kLibrariesMax) continue;
      if (!seen_.emplace(*name).second) continue;
      Add(std::string(*name), path, run_path);
    }
  }

  void Add(const std::string& name, const std::string& needed_by, const RunPath& run_path) {
    const std::string path = FindLibrary(name, run_path);
    if (path.empty()) return Miss(name, needed_by);
    const auto opened = SourceFile::Open(path);
    const auto* const file = std::get_if<SourceFile>(&opened);
    if (file == nullptr) return Miss(name, needed_by);
    const auto read = file->Read();
    const auto* const bytes = std::get_if<SourceFile::Bytes>(&read);
    elf::Image image;
    if (bytes == nullptr || !elf::Image::Parse(bytes->data(), bytes->size(), &image).ok()) {
      return Miss(name, needed_by);
    }
    TakeExports(image);
    Visit(path, image, run_path.passed_on);
  }

  void Miss(const std::string& name, const std::string& needed_by) {
    result_.missing.push_back({name, needed_by});
  }

  void TakeExports(const elf::Image& image) {
    for (size_t index = 1; index < image.symbol_count() && !open_.empty(); ++index) {
      const auto symbol = image.SymbolAt(index);
      if (!symbol || !symbol->defined() || symbol->binding() == STB_LOCAL) continue;
      const auto open = open_.find(symbol->name);
      if (open != open_.end() && !open->second.final) open_.erase(open);
    }
  }

  std::map<std::string, Open, std::less<>> open_;  // imports that nobody has given yet
  std::set<std::string, std::less<>> seen_;        // names of libraries
  Dependencies result_;
};

}  // namespace

Dependencies FindDependencies(const std::string& path, const elf::Image& image,
                              const std::vector<Import>& imports) {
  return Finder(imports).Run(path, image);
}

}  // namespace napi_reload
