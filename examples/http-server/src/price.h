#pragma once

#include <cstdint>

namespace quotes {

// What so many units cost.
int64_t PriceOf(uint32_t units);

}  // namespace quotes
