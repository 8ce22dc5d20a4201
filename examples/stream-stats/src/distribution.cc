#include "distribution.h"

namespace stream_stats {

bool Agree(const Moments& moments, const Bins& bins) {
  Moments binned;
  for (const auto& [value, times] : bins) {
    binned.count += times;
    binned.sum += times * value;
  }
  return binned.count == moments.count && binned.sum == moments.sum;
}

void Distribution::Add(int32_t value) {
  moments_.count += 1;
  moments_.sum += value;
  bins_[value] += 1;
}

void Distribution::Merge(const Distribution& other) {
  moments_.count += other.moments_.count;
  moments_.sum += other.moments_.sum;
  for (const auto& [value, times] : other.bins_) bins_[value] += times;
}

double Distribution::Mean() const {
  return static_cast<double>(moments_.sum) / static_cast<double>(moments_.count);
}

int32_t Distribution::Percentile(int percent) const {
  const int64_t rank = (moments_.count * percent + 99) / 100;
  int64_t seen = 0;
  for (const auto& [value, times] : bins_) {
    seen += times;
    if (seen >= rank) return value;
  }
  return Max();
}

}  // namespace stream_stats
