#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vector_index {

struct Neighbor {
  float distance;
  uint32_t id;

  // Of two that are equally far, the one with the smaller id is nearer: answers have one order.
  bool operator<(const Neighbor& other) const {
    return distance != other.distance ? distance < other.distance : id < other.id;
  }
};

// The nearest of all that were offered.
class Nearest {
 public:
  explicit Nearest(size_t count) : count_(count) { heap_.reserve(count + 1); }

  void Offer(const Neighbor& candidate) {
    if (heap_.size() == count_ && !(candidate < heap_.front())) return;
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end());
    if (heap_.size() <= count_) return;
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }

  // Nearest first. Nothing can be offered after that.
  std::vector<Neighbor> Take() && {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

 private:
  size_t count_;
  // The farthest is in front.
  std::vector<Neighbor> heap_;
};

}  // namespace vector_index
