// Reading a case's parameters, with one sentence for what is wrong.
#pragma once

#include <string>
#include <vector>

#include "tools/golden_check/runner.h"

namespace fabula::golden {

/// A whole number of the case's metadata; throws Error(bad_data) where it is missing, not whole, or outside [low, high].
[[nodiscard]] std::int64_t whole_number(const Case&, const std::string& name, std::int64_t low, std::int64_t high);
[[nodiscard]] double real_number(const Case&, const std::string& name);
[[nodiscard]] std::string text(const Case&, const std::string& name);
[[nodiscard]] std::vector<std::int64_t> whole_numbers(const Case&, const std::string& name, std::size_t count, std::int64_t low,
                                                      std::int64_t high);

/// The values of a stored tensor, which may be unaligned in its file. Throws Error(bad_data) for another dtype.
[[nodiscard]] std::vector<float> floats(const Tensor&);
[[nodiscard]] std::vector<std::int64_t> integers(const Tensor&);

}  // namespace fabula::golden
