// Memory of the addon that JavaScript holds: externals, array buffers, buffers and strings.

#include "../holdings.h"
#include "table.h"

namespace napi_reload::interpose {
namespace {

napi_status CreateExternal(napi_env env, void* data, napi_finalize finalize, void* hint,
                           napi_value* result) {
  Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  Holding* const holding = NewHolding(version, HoldingKind::kExternal, finalize, data, hint);
  if (holding == nullptr) return napi_generic_failure;
  napi_status status = napi_create_external(env, data, nullptr, nullptr, result);
  // Apart, since this gives a reference: it tells the external from others that have its pointer.
  if (status == napi_ok) {
    status = napi_add_finalizer(env, *result, holding, OnFinalize, holding, &holding->real);
  }
  if (status != napi_ok) FreeHolding(holding);
  return Checked(env, status);
}

napi_status GetExternal(napi_env env, napi_value value, void** result) {
  void* pointer = nullptr;
  const napi_status status = napi_get_value_external(env, value, &pointer);
  if (status != napi_ok) return status;
  // Whoever made it: passing externals between addons is theirs to agree on.
  if (result == nullptr || HasEnded(env, value, pointer)) return napi_invalid_arg;
  *result = pointer;
  return napi_ok;
}

// Also without a finalizer of the addon: the memory may be static, and then it is the image.
template <typename Create>
napi_status CreateBuffer(napi_env env, void* data, size_t bytes, napi_finalize finalize, void* hint,
                         Create create) {
  Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  Holding* const holding = NewHolding(version, HoldingKind::kBuffer, finalize, data, hint, bytes);
  if (holding == nullptr) return napi_generic_failure;
  const napi_status status = create(holding);
  if (status != napi_ok) FreeHolding(holding);
  return Checked(env, status);
}

napi_status CreateArrayBuffer(napi_env env, void* data, size_t bytes, napi_finalize finalize,
                              void* hint, napi_value* result) {
  return CreateBuffer(env, data, bytes, finalize, hint, [=](Holding* holding) {
    return napi_create_external_arraybuffer(env, data, bytes, OnFinalize, holding, result);
  });
}

napi_status CreateNodeBuffer(napi_env env, size_t bytes, void* data, napi_finalize finalize,
                             void* hint, napi_value* result) {
  return CreateBuffer(env, data, bytes, finalize, hint, [=](Holding* holding) {
    return napi_create_external_buffer(env, bytes, data, OnFinalize, holding, result);
  });
}

// A string that Node copies is finalized before the call returns: the holding may be gone then.
template <typename Character, typename Create>
napi_status CreateString(napi_env env, Character* text, size_t length, napi_finalize finalize,
                         void* hint, Create create) {
  Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  if (text == nullptr) return create(nullptr, nullptr);
  const size_t characters =
      length == NAPI_AUTO_LENGTH ? std::char_traits<Character>::length(text) : length;
  Holding* const holding = NewHolding(version, HoldingKind::kString, finalize, text, hint,
                                      characters * sizeof(Character));
  if (holding == nullptr) return napi_generic_failure;
  const napi_status status = create(OnFinalize, holding);
  if (status != napi_ok) FreeHolding(holding);
  return Checked(env, status);
}

template <typename Character>
using CreateStringFunction = napi_status (*)(napi_env, Character*, size_t, napi_finalize, void*,
                                             napi_value*, bool*);

napi_status CreateLatin1(napi_env env, char* text, size_t length, napi_finalize finalize,
                         void* hint, napi_value* result, bool* copied) {
  static const auto real =
      Real<CreateStringFunction<char>>("node_api_create_external_string_latin1");
  return CreateString(env, text, length, finalize, hint, [=](napi_finalize trampoline, void* own) {
    return real(env, text, length, trampoline, own, result, copied);
  });
}

napi_status CreateUtf16(napi_env env, char16_t* text, size_t length, napi_finalize finalize,
                        void* hint, napi_value* result, bool* copied) {
  static const auto real =
      Real<CreateStringFunction<char16_t>>("node_api_create_external_string_utf16");
  return CreateString(env, text, length, finalize, hint, [=](napi_finalize trampoline, void* own) {
    return real(env, text, length, trampoline, own, result, copied);
  });
}

// A shared buffer may be finalized on any thread, and has no env then: it pins the image, not the
// version's ledger.
struct Shared {
  Image* image;
  size_t bytes;
  void (*finalize)(void* data, void* hint);
  void* hint;
};

using SharedFinalize = void (*)(void* data, void* hint);

void Forget(Shared* shared) {
  Image* const image = shared->image;
  image->shared_buffer_bytes.fetch_sub(shared->bytes);
  delete shared;
  image->ReleaseCounted(&image->shared_buffers);
}

void OnSharedFinalize(void* data, void* hint) {
  auto* const shared = static_cast<Shared*>(hint);
  if (shared->finalize != nullptr) shared->finalize(data, shared->hint);
  Forget(shared);
}

napi_status CreateSharedArrayBuffer(napi_env env, void* data, size_t bytes, SharedFinalize finalize,
                                    void* hint, napi_value* result) {
  using Create = napi_status (*)(napi_env, void*, size_t, SharedFinalize, void*, napi_value*);
  static const auto real = Real<Create>("node_api_create_external_sharedarraybuffer");
  Version* const version = Version::Of(env);
  if (version == nullptr) return napi_invalid_arg;
  auto* const shared = new Shared{version->image(), bytes, finalize, hint};
  shared->image->Acquire();
  shared->image->shared_buffers.fetch_add(1);
  shared->image->shared_buffer_bytes.fetch_add(bytes);
  const napi_status status = real(env, data, bytes, OnSharedFinalize, shared, result);
  if (status != napi_ok) Forget(shared);
  return Checked(env, status);
}

}  // namespace

void AddExternals(Table* table) {
  table->Add("napi_create_external", CreateExternal);
  table->Add("napi_get_value_external", GetExternal);
  table->Add("napi_create_external_arraybuffer", CreateArrayBuffer);
  table->Add("napi_create_external_buffer", CreateNodeBuffer);
  table->Add("node_api_create_external_string_latin1", CreateLatin1);
  table->Add("node_api_create_external_string_utf16", CreateUtf16);
  table->Add("node_api_create_external_sharedarraybuffer", CreateSharedArrayBuffer);
}

}  // namespace napi_reload::interpose
