// replay <mutations of each> <files...>: what libFuzzer would do with these files, without it: each
// is read, and so are the same mutations of it every time.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed);

// libFuzzer's own mutations are not repeated.
extern "C" size_t LLVMFuzzerMutate(uint8_t*, size_t size, size_t) { return size; }

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const auto mutations = static_cast<unsigned>(std::strtoul(arguments[1], nullptr, 10));
  unsigned inputs = 0;
  for (int index = 2; index < count; ++index) {
    std::ifstream file(arguments[index], std::ios::binary);
    const std::vector<uint8_t> image(std::istreambuf_iterator<char>(file), {});
    LLVMFuzzerTestOneInput(image.data(), image.size());
    ++inputs;
    for (unsigned seed = 0; seed < mutations; ++seed, ++inputs) {
      std::vector<uint8_t> changed = image;
      const size_t size =
          LLVMFuzzerCustomMutator(changed.data(), changed.size(), changed.size(), seed);
      // The sanitizer sees a read behind the end of the vector.
      changed.resize(size);
      LLVMFuzzerTestOneInput(changed.data(), changed.size());
    }
  }
  std::printf("%u inputs\n", inputs);
  return 0;
}
