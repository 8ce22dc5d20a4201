#include "hash.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace napi_reload {
namespace {

constexpr Sha256::State kInitialState = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

alignas(16) constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t RotateRight(uint32_t value, int bits) {
  return value >> bits | value << (32 - bits);
}

uint32_t LoadBigEndian(const uint8_t* from) {
  return uint32_t{from[0]} << 24 | uint32_t{from[1]} << 16 | uint32_t{from[2]} << 8 | from[3];
}

// FIPS 180-4, section 6.2.2.
void CompressBlock(Sha256::State* state, const uint8_t* block) {
  uint32_t w[64];
  for (int t = 0; t < 16; ++t) w[t] = LoadBigEndian(block + t * 4);
  for (int t = 16; t < 64; ++t) {
    const uint32_t s0 = RotateRight(w[t - 15], 7) ^ RotateRight(w[t - 15], 18) ^ w[t - 15] >> 3;
    const uint32_t s1 = RotateRight(w[t - 2], 17) ^ RotateRight(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = *state;
  for (int t = 0; t < 64; ++t) {
    const uint32_t sum1 = RotateRight(e, 6) ^ RotateRight(e, 11) ^ RotateRight(e, 25);
    const uint32_t choice = (e & f) ^ (~e & g);
    const uint32_t t1 = h + sum1 + choice + kRoundConstants[t] + w[t];
    const uint32_t sum0 = RotateRight(a, 2) ^ RotateRight(a, 13) ^ RotateRight(a, 22);
    const uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + sum0 + majority;
  }
  const Sha256::State rounds = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < rounds.size(); ++i) (*state)[i] += rounds[i];
}

void CompressPortable(Sha256::State* state, const uint8_t* blocks, size_t count) {
  for (; count > 0; --count, blocks += Sha256::kBlockBytes) CompressBlock(state, blocks);
}

#if defined(__x86_64__)

#define NAPI_RELOAD_SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

bool HasShaInstructions() {
  constexpr unsigned kSse41AndSsse3 = 1u << 19 | 1u << 9;  // leaf 1, ecx
  constexpr unsigned kSha = 1u << 29;                      // leaf 7, ebx
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSse41AndSsse3) != kSse41AndSsse3) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
}

NAPI_RELOAD_SHA_TARGET inline __m128i* AsVector(void* at) { return static_cast<__m128i*>(at); }

// The instructions keep the state as the pairs ABEF and CDGH, and do two rounds at once.
NAPI_RELOAD_SHA_TARGET void CompressWithInstructions(Sha256::State* state, const uint8_t* blocks,
                                                     size_t count) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i low = _mm_loadu_si128(AsVector(state->data()));       // DCBA
  const __m128i high = _mm_loadu_si128(AsVector(state->data() + 4));  // HGFE
  const __m128i cdab = _mm_shuffle_epi32(low, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(high, 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; count > 0; --count, blocks += Sha256::kBlockBytes) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i w[4];  // the last 16 words of the schedule
    for (int group = 0; group < 16; ++group) {
      __m128i& words = w[group % 4];
      if (group < 4) {
        __m128i bytes;
        std::memcpy(&bytes, blocks + group * 16, sizeof(bytes));
        words = _mm_shuffle_epi8(bytes, big_endian);
      } else {
        const __m128i& before1 = w[(group + 3) % 4];
        const __m128i& before2 = w[(group + 2) % 4];
        const __m128i partial = _mm_add_epi32(_mm_sha256msg1_epu32(words, w[(group + 1) % 4]),
                                              _mm_alignr_epi8(before1, before2, 4));
        words = _mm_sha256msg2_epu32(partial, before1);
      }
      __m128i constants;
      std::memcpy(&constants, kRoundConstants + group * 4, sizeof(constants));
      const __m128i sum = _mm_add_epi32(words, constants);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(AsVector(state->data()), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(AsVector(state->data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool HasShaInstructions() { return false; }
constexpr auto CompressWithInstructions = CompressPortable;

#endif

}  // namespace

bool Sha256::Accelerated() {
  static const bool has = HasShaInstructions();
  return has;
}

Sha256::Sha256(Path path)
    : compress_(path == Path::kFastest && Accelerated() ? CompressWithInstructions
                                                        : CompressPortable),
      state_(kInitialState) {}

void Sha256::Update(const uint8_t* data, size_t size) {
  total_bytes_ += size;
  if (pending_bytes_ > 0) {
    const size_t taken = std::min(size, kBlockBytes - pending_bytes_);
    std::memcpy(pending_.data() + pending_bytes_, data, taken);
    pending_bytes_ += taken;
    data += taken;
    size -= taken;
    if (pending_bytes_ < kBlockBytes) return;
    compress_(&state_, pending_.data(), 1);
    pending_bytes_ = 0;
  }
  const size_t blocks = size / kBlockBytes;
  compress_(&state_, data, blocks);
  pending_bytes_ = size - blocks * kBlockBytes;
  if (pending_bytes_ > 0) {
    std::memcpy(pending_.data(), data + blocks * kBlockBytes, pending_bytes_);
  }
}

std::string Sha256::FinishHex() {
  constexpr size_t kLengthBytes = 8;
  const uint64_t bits = total_bytes_ * 8;
  pending_[pending_bytes_++] = 0x80;
  if (pending_bytes_ > kBlockBytes - kLengthBytes) {
    std::fill(pending_.begin() + pending_bytes_, pending_.end(), uint8_t{0});
    compress_(&state_, pending_.data(), 1);
    pending_bytes_ = 0;
  }
  std::fill(pending_.begin() + pending_bytes_, pending_.end(), uint8_t{0});
  for (size_t i = 0; i < kLengthBytes; ++i) {
    pending_[kBlockBytes - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  }
  compress_(&state_, pending_.data(), 1);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(kDigestBytes * 2);
  for (const uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4) hex.push_back(kDigits[word >> shift & 0xf]);
  }
  return hex;
}

}  // namespace napi_reload
