// How long the values of a bundle's plan may be. One table for the grammar, the rules and the validator.
#pragma once

#include <cstddef>

namespace fabula {

/// Longest values, in bytes.
struct PlanCaps {
  static constexpr std::size_t treatment = 240, title = 60, name = 32, look = 60, description = 60, unsupported = 40;
  static constexpr std::size_t cast = 2, props = 2, unsupported_count = 6;
};

}  // namespace fabula
