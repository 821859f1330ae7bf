// What can be checked: one row per part, in one table per module or model family.
#pragma once

#include <string_view>

#include "tools/golden_check/runner.h"

namespace fabula::golden {

struct Part {
  const char* name;
  Runner run;
  double fp32;         ///< tolerance of float32 against the reference's float32: a bound of Comparison::largest_error
  double bf16;         ///< of products of bf16 operands against the reference's float32
  const char* reason;  ///< why as much
};

/// Null for an unknown part.
[[nodiscard]] const Part* part_named(std::string_view name);

}  // namespace fabula::golden
