// rope: one thread per pair of channels. After the norm of a head: a warp per head.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"

namespace fabula::cuda {

namespace {

/// The two channels that are turned together.
struct Pair {
  float first, second;
};

/// cos and sin are a row's.
__device__ inline Pair turned(Pair p, const float* cos, const float* sin, std::int64_t i, std::int64_t half) {
  return {p.first * cos[i] - p.second * sin[i], p.second * cos[i + half] + p.first * sin[i + half]};
}

constexpr std::int64_t heads_per_block = block_threads / 32;

/// A lane reads and writes the same channels throughout, so that out may be x.
__global__ void rms_norm_rope_kernel(const float* x, const float* weight, float eps, const float* cos, const float* sin, std::int64_t all,
                                     std::int64_t heads, std::int64_t dim, std::int64_t half, float* out) {
  const std::int64_t head = blockIdx.x * heads_per_block + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (head >= all) return;  // the same for all lanes
  x += head * dim;
  out += head * dim;
  cos += head / heads * 2 * half;
  sin += head / heads * 2 * half;
  float squares = 0.0F;
  for (std::int64_t i = lane; i < half; i += 32) squares += x[i] * x[i] + x[i + half] * x[i + half];
  for (std::int64_t i = 2 * half + lane; i < dim; i += 32) squares += x[i] * x[i];
  const float factor = 1.0F / sqrtf(warp_sum(squares) / static_cast<float>(dim) + eps);
  const auto normed = [&](std::int64_t i) { return x[i] * factor * (weight == nullptr ? 1.0F : weight[i]); };
  for (std::int64_t i = lane; i < half; i += 32) {
    const Pair pair = turned({normed(i), normed(i + half)}, cos, sin, i, half);
    out[i] = pair.first;
    out[i + half] = pair.second;
  }
  for (std::int64_t i = 2 * half + lane; i < dim; i += 32) out[i] = normed(i);
}

}  // namespace

void rope(const Exec& exec, Tensor x, Tensor cos, Tensor sin) {
  const std::int64_t heads = x.shape[1], dim = x.shape[2], rotary = cos.width(), half = rotary / 2;
  for_each(exec, "rope", x.shape[0] * heads * half, [=, x = x.f32(), cos = cos.f32(), sin = sin.f32()] __device__(std::int64_t at) {
    const std::int64_t i = at % half, head = at / half % heads, row = at / (half * heads);
    float* values = x + (row * heads + head) * dim;
    const Pair pair = turned({values[i], values[i + half]}, cos + row * rotary, sin + row * rotary, i, half);
    values[i] = pair.first;
    values[i + half] = pair.second;
  });
}

void rms_norm_rope(const Exec& exec, Tensor x, Tensor weight, float eps, Tensor cos, Tensor sin, Tensor out) {
  const std::int64_t all = x.shape[0] * x.shape[1];
  if (all == 0) return;
  launch(exec, "rms_norm_rope", rms_norm_rope_kernel, static_cast<unsigned>((all + heads_per_block - 1) / heads_per_block), block_threads,
         0, x.f32(), weight.f32(), eps, cos.f32(), sin.f32(), all, x.shape[1], x.shape[2], cos.width() / 2, out.f32());
}

}  // namespace fabula::cuda
