// Ids that Fabula assigns.
#pragma once

#include <cstddef>
#include <string>

namespace fabula::plan {

/// The id of the shot at `index`: "s010", "s020", …, so that a person can insert "s015".
[[nodiscard]] inline std::string shot_id(std::size_t index) {
  const std::string number = std::to_string(10 * (index + 1));
  return "s" + std::string(number.size() < 3 ? 3 - number.size() : 0, '0') + number;
}

}  // namespace fabula::plan
