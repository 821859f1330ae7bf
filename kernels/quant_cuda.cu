// linear_i8 and gather_rows_i8: rows of x are quantised one thread block each, then one thread per output sums exact integers.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"
#include "kernels/quant.h"

namespace fabula::cuda {

namespace {

/// One thread block per row: x (k) as integers, and their scale.
__global__ void narrow_kernel(const float* x, std::int64_t k, float* scale, std::int16_t* numbers) {
  x += blockIdx.x * k;
  numbers += blockIdx.x * k;
  float largest = 0.0F, odd = 0.0F;
  for (std::int64_t i = threadIdx.x; i < k; i += blockDim.x) {
    largest = fmaxf(largest, fabsf(x[i]));
    odd += x[i] * 0.0F;  // zero, but NaN once a value is not finite
  }
  largest = block_max(largest);
  const bool finite = block_sum(odd) == 0.0F;
  const float inverse = finite && largest > 0.0F ? fminf(most_of_x / largest, 3.402823466e38F) : 0.0F;
  for (std::int64_t i = threadIdx.x; i < k; i += blockDim.x)
    numbers[i] = static_cast<std::int16_t>(finite ? __float2int_rn(x[i] * inverse) : 0);
  if (threadIdx.x == 0) scale[blockIdx.x] = finite ? largest / most_of_x : __int_as_float(0x7FC00000);
}

}  // namespace

void linear_i8(const Exec& exec, Tensor x, Tensor weight, Tensor scale, Tensor bias, Activation activation, Tensor scratch, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  if (rows == 0) return;
  const NarrowedRows narrowed = narrowed_rows(scratch, rows);
  launch(exec, "linear_i8", narrow_kernel, static_cast<unsigned>(rows), block_threads, 0, x.f32(), k, narrowed.scale, narrowed.numbers);
  const std::int8_t* w = weight.as<const std::int8_t>();
  const float *w_scale = scale.f32(), *added = bias.absent() ? nullptr : bias.f32();
  float* to = out.f32();
  for_each(exec, "linear_i8", rows * n, [=] __device__(std::int64_t i) {
    const std::int64_t row = i / n, column = i % n;
    std::int64_t sum = 0;
    for (std::int64_t at = 0; at < k; ++at) sum += std::int64_t{narrowed.numbers[row * k + at]} * w[column * k + at];
    const float product = static_cast<float>(sum) * (narrowed.scale[row] * w_scale[column]);
    to[i] = activated(activation, added == nullptr ? product : product + added[column]);
  });
}

void gather_rows_i8(const Exec& exec, Tensor table, Tensor scale, Tensor index, Tensor out) {
  const std::int64_t width = table.width();
  const auto* rows = index.as<const std::int32_t>();
  const auto* from = table.as<const std::int8_t>();
  for_each(exec, "gather_rows_i8", out.elements(), [=, scale = scale.f32(), out = out.f32()] __device__(std::int64_t i) {
    const std::int32_t row = rows[i / width];
    out[i] = scale[row] * static_cast<float>(from[row * width + i % width]);
  });
}

}  // namespace fabula::cuda
