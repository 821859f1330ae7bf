// Bytes as reports show them.
#pragma once

#include <cstdint>

namespace fabula::cli {

[[nodiscard]] constexpr double megabytes(std::uintmax_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace fabula::cli
