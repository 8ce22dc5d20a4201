#pragma once

#include <cstdint>
#include <vector>

#include "layout.h"
#include "nearest.h"

namespace vector_index {

// The `count` vectors that are nearest to the query among those it looks at, nearest first.
// Thread-safe: an index does not change once it was built.
std::vector<Neighbor> Search(const Index& index, const float* query, uint32_t count);

}  // namespace vector_index
