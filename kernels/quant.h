// What the quant family shares between devices: how a row of x is stored as 16-bit integers.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace fabula {

/// The largest integer that stands for a value of x.
constexpr float most_of_x = 32767.0F;

/// linear_i8's scratch: x as integers, with a scale per row.
struct NarrowedRows {
  float* scale;           ///< (rows)
  std::int16_t* numbers;  ///< (rows, k)
};
[[nodiscard]] inline NarrowedRows narrowed_rows(const Tensor& scratch, std::int64_t rows) {
  auto* scale = scratch.as<float>();
  return {scale, reinterpret_cast<std::int16_t*>(scale + rows)};
}

}  // namespace fabula
