#include "api_version.h"

#include <elf.h>

#include <cstring>
#include <initializer_list>

#include "elf.h"

namespace napi_reload {
namespace {

// A place in the code of a function.
class Code {
 public:
  Code(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

  // Steps over these bytes if they come next.
  bool Skip(std::initializer_list<uint8_t> wanted) {
    if (wanted.size() > size_ - at_) return false;
    if (std::memcmp(bytes_ + at_, wanted.begin(), wanted.size()) != 0) return false;
    at_ += wanted.size();
    return true;
  }

  template <typename T>
  std::optional<T> Take() {
    const auto value = elf::ReadAt<T>(bytes_, size_, at_);
    if (value) at_ += sizeof(T);
    return value;
  }

 private:
  const uint8_t* const bytes_;
  const size_t size_;
  size_t at_ = 0;
};

// [endbr64] [push rbp; mov rbp, rsp] (mov eax, imm32 | push imm8; pop rax) [pop rbp | leave] ret
std::optional<int32_t> ReadX64(Code code) {
  code.Skip({0xf3, 0x0f, 0x1e, 0xfa});
  if (code.Skip({0x55})) code.Skip({0x48, 0x89, 0xe5});
  std::optional<int32_t> value;
  if (code.Skip({0xb8})) {
    value = code.Take<int32_t>();
  } else if (code.Skip({0x6a})) {
    const auto narrow = code.Take<int8_t>();
    if (narrow && code.Skip({0x58})) value = *narrow;
  }
  if (!value) return std::nullopt;
  if (!code.Skip({0x5d})) code.Skip({0xc9});
  return code.Skip({0xc3}) || code.Skip({0xf3, 0xc3}) ? value : std::nullopt;
}

// [bti c | paciasp] movz w0, #imm16; [autiasp] ret
std::optional<int32_t> ReadArm64(Code code) {
  constexpr uint32_t kBti = 0xd503245f;
  constexpr uint32_t kPaciasp = 0xd503233f;
  constexpr uint32_t kAutiasp = 0xd50323bf;
  constexpr uint32_t kRet = 0xd65f03c0;
  constexpr uint32_t kMovz = 0x52800000;
  constexpr uint32_t kMovzMask = 0xffe0001f;
  auto word = code.Take<uint32_t>();
  if (word == kBti || word == kPaciasp) word = code.Take<uint32_t>();
  if (!word || (*word & kMovzMask) != kMovz) return std::nullopt;
  const auto value = static_cast<int32_t>(*word >> 5 & 0xffff);
  word = code.Take<uint32_t>();
  if (word == kAutiasp) word = code.Take<uint32_t>();
  return word == kRet ? std::optional<int32_t>(value) : std::nullopt;
}

}  // namespace

std::optional<int32_t> ReadConstantFunction(uint16_t machine, const uint8_t* code, size_t size) {
  switch (machine) {
    case EM_X86_64:
      return ReadX64(Code(code, size));
    case EM_AARCH64:
      return ReadArm64(Code(code, size));
    default:
      return std::nullopt;
  }
}

}  // namespace napi_reload
