// Conditioning: the rows that a shot is made from, all of them states of the planner.
#pragma once

#include <cstdint>
#include <vector>

namespace fabula {

struct Conditioning {
  std::int64_t dim = 0;             ///< width of a state
  std::vector<float> states;        ///< (rows, dim): the untimed rows first, then the score's
  std::vector<double> score_start;  ///< seconds from the shot's start, one for each score row

  [[nodiscard]] std::int64_t rows() const { return dim == 0 ? 0 : static_cast<std::int64_t>(states.size()) / dim; }
  [[nodiscard]] std::int64_t untimed() const { return rows() - static_cast<std::int64_t>(score_start.size()); }
};

}  // namespace fabula
