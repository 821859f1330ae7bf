// Norms: one thread block per row, or per group of a frame.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"

namespace fabula::cuda {

namespace {

struct Modulation {
  const float* scale = nullptr;
  const float* shift = nullptr;
  std::int64_t stride = 0;
  const std::int32_t* index = nullptr;
};

/// One row by the threads `thread`, `thread` + `threads`, …; sum(value) adds over them.
template <typename Sum>
__device__ void rms_norm_row(const float* x, const float* weight, float eps, const Modulation& modulation, std::int64_t row,
                             std::int64_t width, float* out, unsigned thread, unsigned threads, const Sum& sum) {
  x += row * width;
  out += row * width;
  float squares = 0.0F;
  for (std::int64_t i = thread; i < width; i += threads) squares += x[i] * x[i];
  const float factor = 1.0F / sqrtf(sum(squares) / static_cast<float>(width) + eps);
  const std::int64_t line = modulation.index == nullptr ? 0 : modulation.index[row] * modulation.stride;
  for (std::int64_t i = thread; i < width; i += threads) {
    const float normed = x[i] * factor * (weight == nullptr ? 1.0F : weight[i]);
    out[i] = modulation.index == nullptr ? normed : normed * (1.0F + modulation.scale[line + i]) + modulation.shift[line + i];
  }
}

__global__ void rms_norm_kernel(const float* x, const float* weight, float eps, Modulation modulation, std::int64_t width, float* out) {
  rms_norm_row(x, weight, eps, modulation, blockIdx.x, width, out, threadIdx.x, blockDim.x, [](float value) { return block_sum(value); });
}

// Norms of queries and keys have rows of one head: a warp takes one, without a barrier.
constexpr std::int64_t narrow_width = 256, narrow_rows = block_threads / 32;

__global__ void narrow_rms_norm_kernel(const float* x, const float* weight, float eps, Modulation modulation, std::int64_t rows,
                                       std::int64_t width, float* out) {
  const std::int64_t row = blockIdx.x * narrow_rows + threadIdx.x / 32;
  if (row >= rows) return;
  rms_norm_row(x, weight, eps, modulation, row, width, out, threadIdx.x % 32, 32, [](float value) { return warp_sum(value); });
}

/// `members` planes of `plane` values that lie `step` apart share their statistics; weight and bias are one value a plane, or with
/// per_value one a value. Block b starts at (b / inner) · outer_step + (b % inner) · inner_step.
struct Group {
  std::int64_t members, plane, step, inner, outer_step, inner_step;
  bool per_value;
};

__global__ void moments_norm_kernel(const float* x, const float* weight, const float* bias, float eps, Group g, Activation activation,
                                    float* out) {
  const std::int64_t start = blockIdx.x / g.inner * g.outer_step + blockIdx.x % g.inner * g.inner_step, count = g.members * g.plane;
  const std::int64_t first_channel = g.per_value ? 0 : blockIdx.x / g.inner * g.members;
  float sum = 0.0F, distance = 0.0F;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += x[start + i / g.plane * g.step + i % g.plane];
  const float mean = block_sum(sum) / static_cast<float>(count);
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const float d = x[start + i / g.plane * g.step + i % g.plane] - mean;
    distance += d * d;
  }
  const float factor = 1.0F / sqrtf(block_sum(distance) / static_cast<float>(count) + eps);
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const std::int64_t at = start + i / g.plane * g.step + i % g.plane, parameter = g.per_value ? i : first_channel + i / g.plane;
    const float normed = (x[at] - mean) * factor;
    out[at] = activated(activation, normed * (weight == nullptr ? 1.0F : weight[parameter]) + (bias == nullptr ? 0.0F : bias[parameter]));
  }
}

void launch_rms_norm(const Exec& exec, Tensor x, Tensor weight, float eps, Modulation modulation, Tensor out) {
  const std::int64_t rows = x.rows();
  if (rows == 0) return;
  if (x.width() <= narrow_width) {
    launch(exec, "rms_norm", narrow_rms_norm_kernel, static_cast<unsigned>((rows + narrow_rows - 1) / narrow_rows), block_threads, 0,
           x.f32(), weight.f32(), eps, modulation, rows, x.width(), out.f32());
    return;
  }
  launch(exec, "rms_norm", rms_norm_kernel, static_cast<unsigned>(rows), block_threads, 0, x.f32(), weight.f32(), eps, modulation,
         x.width(), out.f32());
}

}  // namespace

void rms_norm(const Exec& exec, Tensor x, Tensor weight, float eps, Tensor out) { launch_rms_norm(exec, x, weight, eps, {}, out); }

void rms_norm_modulate(const Exec& exec, Tensor x, Tensor weight, float eps, const float* scale, const float* shift, std::int64_t stride,
                       Tensor index, Tensor out) {
  launch_rms_norm(exec, x, weight, eps, {scale, shift, stride, index.as<const std::int32_t>()}, out);
}

void layer_norm(const Exec& exec, Tensor x, Tensor weight, Tensor bias, float eps, Tensor out) {
  if (x.rows() == 0) return;
  const Group row{1, x.width(), 0, 1, x.width(), 0, true};
  launch(exec, "layer_norm", moments_norm_kernel, static_cast<unsigned>(x.rows()), block_threads, 0, x.f32(), weight.f32(), bias.f32(), eps,
         row, Activation::none, out.f32());
}

void group_norm(const Exec& exec, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps, Activation activation, Tensor out) {
  const std::int64_t frames = x.shape[1], plane = x.shape[2] * x.shape[3], members = x.shape[0] / groups;
  if (x.elements() == 0) return;
  const Group group{members, plane, frames * plane, frames, members * frames * plane, plane, false};
  launch(exec, "group_norm", moments_norm_kernel, static_cast<unsigned>(groups * frames), 1024, 0, x.f32(), weight.f32(), bias.f32(), eps,
         group, activation, out.f32());
}

}  // namespace fabula::cuda
