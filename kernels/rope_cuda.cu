// rope: one thread per pair of channels.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"

namespace fabula::cuda {

void rope(const Exec& exec, Tensor x, Tensor cos, Tensor sin) {
  const std::int64_t heads = x.shape[1], dim = x.shape[2], rotary = cos.width(), half = rotary / 2;
  for_each(exec, "rope", x.shape[0] * heads * half, [=, x = x.f32(), cos = cos.f32(), sin = sin.f32()] __device__(std::int64_t at) {
    const std::int64_t i = at % half, head = at / half % heads, row = at / (half * heads);
    const float *c = cos + row * rotary, *s = sin + row * rotary;
    float* values = x + (row * heads + head) * dim;
    const float first = values[i], second = values[i + half];
    values[i] = first * c[i] - second * s[i];
    values[i + half] = second * c[i + half] + first * s[i + half];
  });
}

}  // namespace fabula::cuda
