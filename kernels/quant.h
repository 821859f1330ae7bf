// The quant family of the kernel tables: weights of 8-bit whole numbers.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace fabula {

void add_reference_quant(Kernels&);
void add_cpu_quant(Kernels&);
void add_cuda_quant(Kernels&);

/// The largest whole number that stands for a value of x.
constexpr float most_of_x = 32767.0F;

/// Where linear_i8's scratch holds what x became.
struct NarrowedRows {
  float* scale;           ///< (rows)
  std::int16_t* numbers;  ///< (rows, k)
};
[[nodiscard]] inline NarrowedRows narrowed_rows(const Tensor& scratch, std::int64_t rows) {
  auto* scale = scratch.as<float>();
  return {scale, reinterpret_cast<std::int16_t*>(scale + rows)};
}

/// A tile of linear_i8 on the cpu: `x` and `x_scale` from its first row on, `weight` and `scale` from its first column on; `out`, its rows
/// `stride` apart.
struct I8Tile {
  const std::int16_t* x;
  const float* x_scale;
  const std::int8_t* weight;
  const float* scale;
  std::int64_t height, width, k;
  float* out;
  std::int64_t stride;
};

}  // namespace fabula
