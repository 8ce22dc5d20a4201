#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace stream_stats {

// How often each whole number was seen, in ascending order of the number.
using Bins = std::map<int32_t, int64_t>;

// Running totals. They are kept, not added up from the bins, so that a summary costs the same at
// any size.
struct Moments {
  int64_t count = 0;
  int64_t sum = 0;
};

// Whether the totals are those of the values in the bins.
bool Agree(const Moments& moments, const Bins& bins);

// Exact statistics of a stream of whole numbers. Memory grows with the number of different values.
// Not thread-safe: each environment has its own.
class Distribution {
 public:
  Distribution() = default;
  Distribution(const Moments& moments, Bins bins) : moments_(moments), bins_(std::move(bins)) {}

  void Add(int32_t value);
  void Merge(const Distribution& other);

  int64_t Count() const { return moments_.count; }

  // These need at least one value.
  double Mean() const;
  int32_t Min() const { return bins_.begin()->first; }
  int32_t Max() const { return bins_.rbegin()->first; }
  // The smallest value that at least `percent` of all values do not exceed (nearest rank).
  int32_t Percentile(int percent) const;

  const Moments& moments() const { return moments_; }
  const Bins& bins() const { return bins_; }

 private:
  Moments moments_;
  Bins bins_;
};

}  // namespace stream_stats
