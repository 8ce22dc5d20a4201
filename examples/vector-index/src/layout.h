#pragma once

// What an index is made of. All of it lies in memory that no version owns, so every version must
// read it in the same way: whoever changes anything here that the bytes depend on also changes
// kLayout. There is no pointer in it. A list is a range of rows, a row is an offset.
#include <cstddef>
#include <cstdint>

namespace vector_index {

constexpr uint32_t kLayout = 1;

constexpr uint32_t kDimensions = 64;
// Vectors that there is room for. What nobody writes takes no memory.
constexpr uint32_t kVectorsMax = 1 << 17;
// Lists of vectors that are near each other.
constexpr uint32_t kLists = 256;
// Components of vectors and centroids are multiples of this, and no farther from 0 than
// kComponentMax. So every sum of squared differences is exact in a float, in whatever order it is
// added up: a search that adds differently must give the same answers.
constexpr float kStep = 1.0f / 16;
constexpr float kComponentMax = 8;

struct Header {
  // 0 in memory that nobody wrote.
  uint32_t layout;
  uint32_t dimensions;
  uint32_t vectors;
  // How often the index was built.
  uint32_t builds;
};

// The parts, as a version sees them. Those of one index are at the same addresses for all versions.
struct Index {
  Header* header = nullptr;
  // kLists rows.
  float* centroids = nullptr;
  // List i has the rows from starts[i] to starts[i + 1].
  uint32_t* starts = nullptr;
  // What the vector of a row is called.
  uint32_t* ids = nullptr;
  float* rows = nullptr;
};

inline const float* Row(const float* rows, size_t row) { return rows + row * kDimensions; }

}  // namespace vector_index
