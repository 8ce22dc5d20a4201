// SHA-256 of bytes that come in pieces.
//
// It is here, rather than OpenSSL's, because hashing happens on a pool thread in the same pass as
// the copy, and because not every distribution of Node ships the OpenSSL headers.
//
// Ownership: a plain value, copied freely. Threads: one at a time for each object. Failure: none.

#ifndef NAPI_RELOAD_HASH_H_
#define NAPI_RELOAD_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace napi_reload {

class Sha256 {
 public:
  static constexpr size_t kBlockBytes = 64;
  static constexpr size_t kDigestBytes = 32;
  using State = std::array<uint32_t, 8>;

  enum class Path {
    kFastest,   // the processor's own instructions where it has them
    kPortable,  // for tests, and for processors without
  };

  explicit Sha256(Path path = Path::kFastest);

  void Update(const uint8_t* data, size_t size);
  // 64 lower-case hexadecimal digits. Call it once, last.
  std::string FinishHex();

  // Whether kFastest differs from kPortable on this processor.
  static bool Accelerated();

 private:
  using Compress = void (*)(State* state, const uint8_t* blocks, size_t count);

  Compress compress_;
  State state_;
  std::array<uint8_t, kBlockBytes> pending_ = {};
  size_t pending_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace napi_reload

#endif  // NAPI_RELOAD_HASH_H_
