#include "table.h"

#include <algorithm>

namespace napi_reload::interpose {
namespace {

std::vector<Redirect> MakeRedirects() {
  Table table;
  AddAsyncWork(&table);
  AddClasses(&table);
  AddExternals(&table);
  AddFunctions(&table);
  AddLifecycle(&table);
  AddReferences(&table);
  AddThreadLocals(&table);
  AddThreads(&table);
  AddThreadsafeFunctions(&table);
  AddWatched(&table);
  AddWraps(&table);
  std::vector<Redirect> redirects = table.Take();
  std::sort(redirects.begin(), redirects.end(),
            [](const Redirect& a, const Redirect& b) { return a.name < b.name; });
  return redirects;
}

}  // namespace

const std::vector<Redirect>& Redirects() {
  static const std::vector<Redirect>* const redirects = new std::vector<Redirect>(MakeRedirects());
  return *redirects;
}

const void* FindRedirect(std::string_view name) {
  const auto& redirects = Redirects();
  const auto found = std::lower_bound(
      redirects.begin(), redirects.end(), name,
      [](const Redirect& redirect, std::string_view wanted) { return redirect.name < wanted; });
  return found != redirects.end() && found->name == name ? found->target : nullptr;
}

}  // namespace napi_reload::interpose
