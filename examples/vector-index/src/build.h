#pragma once

#include <cstdint>

#include "layout.h"

namespace vector_index {

// Groups `count` vectors, one after the other at `vectors`, by k-means, and writes them and their
// lists into the index. Vector i is called i. The same vectors give the same bytes.
void Build(const Index& index, const float* vectors, uint32_t count);

}  // namespace vector_index
