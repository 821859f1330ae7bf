// How long the values of a bundle's plan may be: one table for the grammar, the rules planner and the validator.
#pragma once

#include <cstddef>

namespace fabula {

/// The longest texts in bytes; then the most entries of a shot's cast and props, and of `unsupported`.
struct PlanCaps {
  static constexpr std::size_t treatment = 240, title = 60, name = 32, look = 60, description = 60, unsupported = 40;
  static constexpr std::size_t cast = 2, props = 2, unsupported_count = 6;
};

}  // namespace fabula
