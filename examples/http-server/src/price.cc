#include "price.h"

namespace quotes {
namespace {

constexpr int64_t kUnitCents = 25;

}  // namespace

int64_t PriceOf(uint32_t units) { return units * kUnitCents; }

}  // namespace quotes
