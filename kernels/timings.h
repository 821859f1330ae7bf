// How fast the cpu table's expensive entries are, at the sizes of the models.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace fabula {

/// What bounds an entry: the processor's float32 units, AMX's tiles, or memory; `other`: none of them is measured (integer units).
enum class Bound { operations, tiles, bandwidth, other };

struct KernelTiming {
  std::string op, size;
  Bound bound;
  double seconds;  ///< the fastest of several calls
  double amount;   ///< operations (a multiplication and an addition are two) or bytes, by `bound`
};

/// Times each entry for about `seconds_each`. `receive` gets each timing as it is taken; returning false ends the run.
void time_kernels(const Exec&, double seconds_each, const std::function<bool(const KernelTiming&)>& receive);

}  // namespace fabula
