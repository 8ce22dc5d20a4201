// The function that looks at an addon for a diagnosis, without loading it.
//
// Threads: the JS thread of the env.

#include <unistd.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "anatomy.h"
#include "binding_ledger.h"
#include "binding_values.h"
#include "dependencies.h"
#include "facts.h"
#include "imports.h"
#include "napi.h"
#include "private_libraries.h"
#include "rebind.h"
#include "rebind_addon.h"
#include "source_file.h"

namespace napi_reload {
namespace {

// What a rebind would say of a copy. Its libraries are written nowhere.
std::string FindRefusal(const elf::Image& image, Closure closure, SourceFile::Bytes bytes) {
  if (image.header().e_machine != kRebindMachine) {
    RebindOptions options;
    options.any_machine = true;
    return Rebind(bytes.data(), bytes.size(), options).refusal;
  }
  const WriteLibrary write = [](const std::string& name, const std::vector<uint8_t>&) {
    return std::variant<std::string, IoFailure>(name);
  };
  const auto result = RebindAddon(std::move(closure), write, bytes.data(), bytes.size());
  const auto* const refused = std::get_if<Refused>(&result);
  return refused == nullptr ? "" : refused->reason;
}

void AddImports(Napi::Env env, const std::vector<Import>& imports, Napi::Object result) {
  std::vector<std::string> all;
  std::vector<std::string> past_node_api;
  std::vector<std::string> unfollowed;
  std::vector<std::string> uv_requests;
  for (const Import& import : imports) {
    all.push_back(import.name);
    if (IsPastNodeApi(import.name)) past_node_api.push_back(import.name);
    if (IsUnfollowed(import.name)) unfollowed.push_back(import.name);
    if (IsUvRequest(import.name)) uv_requests.push_back(import.name);
  }
  result["imports"] = ToArray(env, all);
  result["pastNodeApi"] = ToArray(env, past_node_api);
  result["unfollowed"] = ToArray(env, unfollowed);
  result["uvRequests"] = ToArray(env, uv_requests);
}

Napi::Array MissingToArray(Napi::Env env, const std::vector<MissingLibrary>& missing) {
  auto array = Napi::Array::New(env, missing.size());
  for (uint32_t index = 0; index < missing.size(); ++index) {
    auto library = Napi::Object::New(env);
    library["name"] = missing[index].name;
    library["neededBy"] = missing[index].needed_by;
    array[index] = library;
  }
  return array;
}

// `closure` is that of an image for this machine; empty for any other.
Napi::Object AnatomyOf(Napi::Env env, const std::string& path, const elf::Image& image,
                       SourceFile::Bytes bytes, Closure closure) {
  const Anatomy anatomy = ReadAnatomy(image, bytes.data(), bytes.size());
  auto result = Napi::Object::New(env);
  AddImports(env, anatomy.imports, result);
  result["apiVersion"] = anatomy.api_version
                             ? Napi::Number::New(env, *anatomy.api_version).As<Napi::Value>()
                             : env.Null();
  result["executableStack"] = anatomy.executable_stack;
  result["rpath"] = OrNull(env, anatomy.rpath);
  result["runpath"] = OrNull(env, anatomy.runpath);
  result["looksUpNodeApi"] = anatomy.looks_up_node_api;
  Dependencies dependencies;
  if (image.header().e_machine == kRebindMachine) {
    dependencies = FindDependencies(path, image, anatomy.imports);
  }
  result["missingLibraries"] = MissingToArray(env, dependencies.missing);
  result["undefinedSymbols"] = ToArray(env, dependencies.undefined);
  std::vector<std::string> libraries;
  for (const PrivateLibrary& library : closure.libraries) libraries.push_back(library.source);
  result["privateLibraries"] = ToArray(env, libraries);
  const std::string refusal = FindRefusal(image, std::move(closure), std::move(bytes));
  result["refusal"] =
      refusal.empty() ? env.Null() : Napi::String::New(env, refusal).As<Napi::Value>();
  return result;
}

Napi::Value Unusably(Napi::Env env, const Unusable& unusable) {
  return std::visit([&](const auto& value) -> Napi::Value { return ToObject(env, value); },
                    unusable);
}

// examine(path)
Napi::Value Examine(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  std::string path;
  if (!ReadPath(info, 0, &path)) return env.Undefined();
  auto opened = SourceFile::Open(path);
  if (const auto* unusable = std::get_if<Unusable>(&opened)) return Unusably(env, *unusable);
  auto read = std::get<SourceFile>(opened).Read();
  if (const auto* unusable = std::get_if<Unusable>(&read)) return Unusably(env, *unusable);
  auto& bytes = std::get<SourceFile::Bytes>(read);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const auto facts = ReadFacts(bytes.data(), bytes.size(), page);
  if (const auto* not_elf = std::get_if<NotElf>(&facts)) return ToObject(env, *not_elf);
  const auto& known = std::get<ImageFacts>(facts);
  auto result = MakeResult(env, true, nullptr);
  result["image"] = ToObject(env, known);
  result["anatomy"] = env.Null();
  elf::Image image;
  if (!known.shared_object || !elf::Image::Parse(bytes.data(), bytes.size(), &image).ok()) {
    return result;
  }
  Closure closure;
  if (image.header().e_machine == kRebindMachine) {
    auto found = FindPrivateLibraries(path, bytes.data(), bytes.size());
    if (const auto* unusable = std::get_if<Unusable>(&found)) return Unusably(env, *unusable);
    closure = std::move(std::get<Closure>(found));
  }
  result["anatomy"] = AnatomyOf(env, path, image, std::move(bytes), std::move(closure));
  return result;
}

}  // namespace

void AddDoctor(Napi::Env env, Napi::Object exports) {
  exports["examine"] = Guarded<Examine>(env, "examine");
}

}  // namespace napi_reload
