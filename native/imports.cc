#include "imports.h"

#include <algorithm>
#include <iterator>

namespace napi_reload {
namespace {

using std::string_view;

bool StartsWith(string_view text, string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

template <size_t kCount>
bool StartsWithAny(string_view text, const string_view (&prefixes)[kCount]) {
  return std::any_of(std::begin(prefixes), std::end(prefixes),
                     [text](string_view prefix) { return StartsWith(text, prefix); });
}

bool ImportsLookup(const elf::Image& image) {
  for (size_t index = 1; index < image.symbol_count(); ++index) {
    const auto symbol = image.SymbolAt(index);
    if (!symbol || symbol->defined()) continue;
    if (symbol->name == "dlsym" || symbol->name == "dlvsym") return true;
  }
  return false;
}

bool NamesNodeApi(string_view bytes, uint64_t begin, const elf::FileRange& strings) {
  static constexpr string_view kNames[] = {"napi_create_function", "napi_define_class", "napi_wrap",
                                           "napi_create_threadsafe_function"};
  for (const string_view name : kNames) {
    for (size_t at = bytes.find(name); at != string_view::npos; at = bytes.find(name, at + 1)) {
      const uint64_t offset = begin + at;
      const bool is_import = offset >= strings.offset && offset < strings.offset + strings.size;
      if (!is_import) return true;
    }
  }
  return false;
}

}  // namespace

bool IsUv(string_view name) { return StartsWith(name, "uv_"); }

bool IsUvRequest(string_view name) {
  static constexpr string_view kPrefixes[] = {"uv_fs_",      "uv_getaddrinfo", "uv_getnameinfo",
                                              "uv_random",   "uv_write",       "uv_shutdown",
                                              "uv_udp_send", "uv_tcp_connect", "uv_pipe_connect"};
  static constexpr string_view kHandles[] = {"uv_fs_event_", "uv_fs_poll_", "uv_fs_get_",
                                             "uv_fs_req_cleanup"};
  return !StartsWithAny(name, kHandles) && StartsWithAny(name, kPrefixes);
}

bool IsUnfollowed(string_view name) {
  return name == "thrd_create" || name == "tss_create" || name == "on_exit" ||
         name == "at_quick_exit" ||
         StartsWith(name, "_ZNSt6thread15_M_start_threadESt10shared_ptr");
}

bool IsPastNodeApi(string_view name) {
  static constexpr string_view kPrefixes[] = {"_ZN2v8",   "_ZNK2v8",   "_ZTVN2v8",  "_ZTIN2v8",
                                              "_ZN4node", "_ZNK4node", "_ZN6cppgc", "_ZNK6cppgc"};
  return name == "node_module_register" || StartsWithAny(name, kPrefixes);
}

bool LooksUpNodeApi(const elf::Image& image, const uint8_t* data, size_t size) {
  if (!ImportsLookup(image)) return false;
  // Segments have at most a page in common. Bytes of many that lie in one place are not read again
  // and again.
  uint64_t left = uint64_t{size} * 2;
  for (size_t index = 0; index < image.segment_count(); ++index) {
    const auto segment = image.SegmentAt(index);
    if (!segment || segment->p_type != PT_LOAD) continue;
    if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset) continue;
    if (segment->p_filesz > left) return false;
    left -= segment->p_filesz;
    const string_view bytes(reinterpret_cast<const char*>(data + segment->p_offset),
                            segment->p_filesz);
    if (NamesNodeApi(bytes, segment->p_offset, image.string_table())) return true;
  }
  return false;
}

}  // namespace napi_reload
