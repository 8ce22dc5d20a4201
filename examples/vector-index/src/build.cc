#include "build.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vector_index {
namespace {

constexpr int kRounds = 8;
// Vectors that the centroids are found with: more of them move these little.
constexpr uint32_t kSample = 16384;

// Centroids by dimension, so that the distances of one vector to all of them are added up side by
// side.
class Centroids {
 public:
  explicit Centroids(const float* rows) : columns_(size_t{kLists} * kDimensions) {
    for (size_t list = 0; list < kLists; list += 1) {
      for (size_t i = 0; i < kDimensions; i += 1) {
        columns_[i * kLists + list] = Row(rows, list)[i];
      }
    }
  }

  uint32_t NearestTo(const float* vector) const {
    float distances[kLists] = {};
    for (size_t i = 0; i < kDimensions; i += 1) {
      const float* column = columns_.data() + i * kLists;
      for (size_t list = 0; list < kLists; list += 1) {
        const float difference = vector[i] - column[list];
        distances[list] += difference * difference;
      }
    }
    return static_cast<uint32_t>(std::min_element(distances, distances + kLists) - distances);
  }

 private:
  std::vector<float> columns_;
};

// Every list has at least one vector to begin with; one that loses all keeps its centroid.
void MoveToMeans(float* centroids, const float* vectors, uint32_t count, uint32_t stride) {
  const Centroids nearest(centroids);
  std::vector<double> sums(size_t{kLists} * kDimensions);
  std::vector<uint32_t> members(kLists);
  for (uint32_t id = 0; id < count; id += stride) {
    const float* vector = Row(vectors, id);
    const uint32_t list = nearest.NearestTo(vector);
    members[list] += 1;
    for (size_t i = 0; i < kDimensions; i += 1) sums[size_t{list} * kDimensions + i] += vector[i];
  }
  for (size_t cell = 0; cell < sums.size(); cell += 1) {
    const uint32_t times = members[cell / kDimensions];
    if (times == 0) continue;
    centroids[cell] = static_cast<float>(std::round(sums[cell] / times / kStep)) * kStep;
  }
}

void FindCentroids(float* centroids, const float* vectors, uint32_t count) {
  for (size_t list = 0; list < kLists; list += 1) {
    const float* first = Row(vectors, list * count / kLists);
    std::copy(first, first + kDimensions, centroids + list * kDimensions);
  }
  const uint32_t stride = std::max<uint32_t>(1, count / kSample);
  for (int round = 0; round < kRounds; round += 1) MoveToMeans(centroids, vectors, count, stride);
}

}  // namespace

void Build(const Index& index, const float* vectors, uint32_t count) {
  FindCentroids(index.centroids, vectors, count);
  const Centroids nearest(index.centroids);
  std::vector<uint32_t> lists(count);
  std::fill(index.starts, index.starts + kLists + 1, 0);
  for (uint32_t id = 0; id < count; id += 1) {
    lists[id] = nearest.NearestTo(Row(vectors, id));
    index.starts[lists[id] + 1] += 1;
  }
  for (size_t list = 0; list < kLists; list += 1) index.starts[list + 1] += index.starts[list];

  std::vector<uint32_t> next(index.starts, index.starts + kLists);
  for (uint32_t id = 0; id < count; id += 1) {
    const uint32_t row = next[lists[id]]++;
    index.ids[row] = id;
    std::copy(Row(vectors, id), Row(vectors, id + 1), index.rows + size_t{row} * kDimensions);
  }
  const uint32_t builds = index.header->builds + 1;
  *index.header = {kLayout, kDimensions, count, builds};
}

}  // namespace vector_index
