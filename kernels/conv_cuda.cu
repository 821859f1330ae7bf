// Convolutions as products: weight (c_out, depth) · patches (depth, positions), whose panels are gathered as they are multiplied, so that
// no patch is ever stored. Padding: one thread per output.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"
#include "kernels/tile_product.cuh"

namespace fabula::cuda {

namespace {

struct Extents {
  std::int64_t t = 1, h = 1, w = 1;

  [[nodiscard]] __host__ __device__ std::int64_t volume() const { return t * h * w; }
};

/// Every convolution: position n of the output sees x (c_in, in) where its kernel lies; padding and dilation are along w alone. A depth is
/// an input channel and a tap, d = channel · taps + tap.
struct Convolution {
  const float *x, *weight, *bias;
  float* out;
  std::int64_t c_in, c_out;
  Extents in{}, kernel{}, stride{}, to{};
  std::int64_t padding = 0, dilation = 1;
  std::int64_t positions = 0;                                       ///< of `to`, those that are made
  std::int64_t weight_row = 0, weight_channel = 0, weight_tap = 1;  ///< floats between a weight's rows, channels and taps
  std::int64_t out_row = 0, out_step = 1;                           ///< floats between channels and positions of the output

  [[nodiscard]] __host__ __device__ std::int64_t depth() const { return c_in * kernel.volume(); }
};

/// A depth as offsets into x and the weight; behind the last depth it sees nothing.
struct Tap {
  std::int64_t of_x, of_weight, along_w;
  bool inside;
};

__device__ inline Tap tap_of(const Convolution& c, std::int64_t depth) {
  const auto taps = static_cast<unsigned>(c.kernel.volume()), d = static_cast<unsigned>(depth), width = static_cast<unsigned>(c.kernel.w);
  const unsigned channel = d / taps, tap = d % taps, line = tap / width;
  const std::int64_t a = line / static_cast<unsigned>(c.kernel.h), b = line % static_cast<unsigned>(c.kernel.h);
  return {((channel * c.in.t + a) * c.in.h + b) * c.in.w, channel * c.weight_channel + tap * c.weight_tap, tap % width * c.dilation,
          depth < c.depth()};
}

/// A position: the line of x that it begins in, and where in the line.
struct Place {
  std::int64_t line, at;
  bool inside;
};

__device__ inline Place place_of(const Convolution& c, std::int64_t n) {
  const std::int64_t line = n / c.to.w;
  return {(line / c.to.h * c.stride.t * c.in.h + line % c.to.h * c.stride.h) * c.in.w, n % c.to.w * c.stride.w - c.padding,
          n < c.positions};
}

/// A grid of (positions, c_out) in tiles.
__global__ void __launch_bounds__(tile_threads) conv_kernel(Convolution c) {
  __shared__ Tap taps[words];
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * tile, column = static_cast<std::int64_t>(blockIdx.x) * tile;
  const int line = threadIdx.x % tile;  // neighbours read neighbours' samples
  const Place place = place_of(c, column + line);
  const auto load = [&](Panel& of_weight, Panel& of_x, std::int64_t from) {
    if (threadIdx.x < words) taps[threadIdx.x] = tap_of(c, from + threadIdx.x);
    __syncthreads();
    for (int i = threadIdx.x; i < tile * words; i += tile_threads) {
      const std::int64_t channel = row + i / words;
      const Tap& tap = taps[i % words];
      of_weight[i / words][i % words] =
          channel < c.c_out && tap.inside ? __float_as_uint(c.weight[channel * c.weight_row + tap.of_weight]) : 0U;
    }
    for (int word = threadIdx.x / tile; word < words; word += tile_threads / tile) {
      const Tap& tap = taps[word];
      const std::int64_t at = place.at + tap.along_w;
      of_x[line][word] = place.inside && tap.inside && at >= 0 && at < c.in.w ? __float_as_uint(c.x[place.line + tap.of_x + at]) : 0U;
    }
  };
  multiply_tile<SplitTf32>(c.depth(), row + threadIdx.x / 32 * 16 < c.c_out, load, [&](int i, int j, float sum) {
    const std::int64_t channel = row + i, n = column + j;
    if (channel < c.c_out && n < c.positions) c.out[channel * c.out_row + n * c.out_step] = c.bias == nullptr ? sum : sum + c.bias[channel];
  });
}

void convolve(const Exec& exec, const char* entry, const Convolution& c) {
  if (c.positions <= 0 || c.c_out == 0) return;
  const dim3 blocks(static_cast<unsigned>((c.positions + tile - 1) / tile), static_cast<unsigned>((c.c_out + tile - 1) / tile));
  launch(exec, entry, conv_kernel, blocks, tile_threads, 0, c);
}

}  // namespace

void conv3d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv3dParams p, Tensor out) {
  const auto extents = [](const Shape& shape, int axis) { return Extents{shape[axis], shape[axis + 1], shape[axis + 2]}; };
  Convolution c{x.f32(), weight.f32(), bias.f32(), out.f32(), x.shape[0], out.shape[0]};
  c.in = extents(x.shape, 1);
  c.kernel = extents(weight.shape, 2);
  c.stride = {p.stride_t, p.stride_h, p.stride_w};
  c.to = extents(out.shape, 1);
  c.positions = c.out_row = c.to.volume();
  c.weight_row = c.depth();
  c.weight_channel = c.kernel.volume();
  convolve(exec, "conv3d", c);
}

void conv1d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  Convolution c{x.f32(), weight.f32(), bias.f32(), out.f32(), x.shape[0], out.shape[0]};
  c.in.w = x.shape[1];
  c.kernel.w = weight.shape[2];
  c.stride.w = p.stride;
  c.to.w = c.positions = c.out_row = out.shape[1];
  c.padding = p.padding;
  c.dilation = p.dilation;
  c.weight_row = c.depth();
  c.weight_channel = c.kernel.w;
  convolve(exec, "conv1d", c);
}

// Outputs o with the same phase (o + padding) % stride see the taps phase, phase + stride, …: tap phase + j · stride meets input q − j
// where o + padding = q · stride + phase. So each phase is a convolution of its own, whose kernel runs backwards from q.
void conv_transpose1d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t taps = weight.shape[2], length = out.shape[1];
  Convolution c{x.f32(), weight.f32(), bias.f32(), out.f32(), x.shape[0], out.shape[0]};
  c.in.w = x.shape[1];
  c.to.w = c.out_row = length;
  c.dilation = -1;
  c.weight_row = taps;
  c.weight_channel = c.c_out * taps;
  c.weight_tap = c.out_step = p.stride;
  for (std::int64_t phase = 0; phase < p.stride; ++phase) {
    const std::int64_t first = p.padding > phase ? (p.padding - phase + p.stride - 1) / p.stride : 0;  // q of the first output
    const std::int64_t begin = first * p.stride + phase - p.padding;
    c.weight = weight.f32() + phase;
    c.out = out.f32() + begin;
    c.kernel.w = phase < taps ? (taps - phase + p.stride - 1) / p.stride : 0;
    c.padding = -first;
    c.positions = (length - begin + p.stride - 1) / p.stride;
    convolve(exec, "conv_transpose1d", c);
  }
}

namespace {

/// Where index i of a padded axis comes from, or -1 for a zero.
__device__ std::int64_t source(std::int64_t i, std::int64_t before, std::int64_t extent, Pad mode) {
  const std::int64_t at = i - before;
  if (at >= 0 && at < extent) return at;
  if (mode == Pad::zero) return -1;
  if (mode == Pad::replicate) return at < 0 ? 0 : extent - 1;
  return at < 0 ? -at : 2 * (extent - 1) - at;
}

}  // namespace

void pad3d(const Exec& exec, Tensor x, Padding3d p, Pad mode, Tensor out) {
  const std::int64_t t = x.shape[1], h = x.shape[2], w = x.shape[3], t_out = out.shape[1], h_out = out.shape[2], w_out = out.shape[3];
  for_each(exec, "pad3d", out.elements(), [=, x = x.f32(), out = out.f32()] __device__(std::int64_t at) {
    const std::int64_t channel = at / (w_out * h_out * t_out), frame = source(at / (w_out * h_out) % t_out, p.t_front, t, Pad::zero);
    const std::int64_t line = source(at / w_out % h_out, p.h_top, h, mode), column = source(at % w_out, p.w_left, w, mode);
    out[at] = frame < 0 || line < 0 || column < 0 ? 0.0F : x[((channel * t + frame) * h + line) * w + column];
  });
}

}  // namespace fabula::cuda
