// The search kernel: what the run edits while queries are answered.
#include "search.h"

#include <cstddef>
#include <utility>

namespace vector_index {
namespace {

// Lists that a search looks into, those with the nearest centroids.
constexpr uint32_t kProbes = 8;

float SquaredDistance(const float* a, const float* b) {
  float sum = 0;
  for (size_t i = 0; i < kDimensions; i += 1) {
    const float difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum;
}

std::vector<Neighbor> NearestLists(const Index& index, const float* query) {
  Nearest nearest(kProbes);
  for (uint32_t list = 0; list < kLists; list += 1) {
    nearest.Offer({SquaredDistance(query, Row(index.centroids, list)), list});
  }
  return std::move(nearest).Take();
}

}  // namespace

std::vector<Neighbor> Search(const Index& index, const float* query, uint32_t count) {
  Nearest nearest(count);
  for (const Neighbor& list : NearestLists(index, query)) {
    for (uint32_t row = index.starts[list.id]; row < index.starts[list.id + 1]; row += 1) {
      nearest.Offer({SquaredDistance(query, Row(index.rows, row)), index.ids[row]});
    }
  }
  return std::move(nearest).Take();
}

}  // namespace vector_index
