// snake_beta_alias_free: one thread block per stretch of a channel. The fine samples its outputs need are computed once, in shared memory.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"

namespace fabula::cuda {

namespace {

constexpr int stretch = 256;  // outputs, and threads

struct Filters {
  const float* up;
  std::int64_t up_taps;
  const float* down;
  std::int64_t down_taps;
};

/// Sample u of the fine signal, after the activation.
__device__ float fine_sample(const float* x, std::int64_t length, const Filters& f, float frequency, float magnitude, std::int64_t u) {
  const std::int64_t pad = f.up_taps / 2 - 1, at = u + 2 * pad + (f.up_taps - 2) / 2;
  float sum = 0.0F;
  for (std::int64_t i = (at - f.up_taps + 2) / 2; 2 * i <= at; ++i) {
    const std::int64_t from = i - pad;
    sum += x[from < 0 ? 0 : from >= length ? length - 1 : from] * f.up[at - 2 * i];
  }
  const float value = 2.0F * sum, wave = sinf(frequency * value);
  return value + wave * wave / magnitude;
}

__global__ void alias_free_kernel(const float* x, std::int64_t length, std::int64_t stretches, const float* alpha, const float* beta,
                                  Filters f, float* out) {
  __shared__ float fine[2 * stretch + most_filter_taps];
  const std::int64_t channel = blockIdx.x / stretches, begin = blockIdx.x % stretches * stretch;
  const float frequency = expf(alpha[channel]), magnitude = expf(beta[channel]) + 1e-9F;
  const std::int64_t first = 2 * begin - (f.down_taps / 2 - 1);
  for (std::int64_t i = threadIdx.x; i < 2 * stretch + f.down_taps; i += blockDim.x) {
    const std::int64_t u = first + i, held = u < 0 ? 0 : u >= 2 * length ? 2 * length - 1 : u;
    fine[i] = fine_sample(x + channel * length, length, f, frequency, magnitude, held);
  }
  __syncthreads();
  if (begin + threadIdx.x >= length) return;
  float sum = 0.0F;
  for (std::int64_t tap = 0; tap < f.down_taps; ++tap) sum += f.down[tap] * fine[2 * threadIdx.x + tap];
  out[channel * length + begin + threadIdx.x] = sum;
}

}  // namespace

void snake_beta_alias_free(const Exec& exec, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter, Tensor out) {
  const std::int64_t length = x.shape[1], stretches = (length + stretch - 1) / stretch;
  if (x.elements() == 0) return;
  const Filters filters{up_filter.f32(), up_filter.elements(), down_filter.f32(), down_filter.elements()};
  launch(exec, "snake_beta_alias_free", alias_free_kernel, static_cast<unsigned>(x.shape[0] * stretches), stretch, 0, x.f32(), length,
         stretches, alpha.f32(), beta.f32(), filters, out.f32());
}

}  // namespace fabula::cuda
