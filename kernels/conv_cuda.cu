// Convolutions and padding: one thread per output.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"

namespace fabula::cuda {

void conv3d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv3dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], t = x.shape[1], h = x.shape[2], w = x.shape[3];
  const std::int64_t t_out = out.shape[1], h_out = out.shape[2], w_out = out.shape[3];
  const std::int64_t kt = weight.shape[2], kh = weight.shape[3], kw = weight.shape[4];
  for_each(exec, "conv3d", out.elements(),
           [=, x = x.f32(), weight = weight.f32(), bias = bias.f32(), out = out.f32()] __device__(std::int64_t at) {
             const std::int64_t wo = at % w_out, ho = at / w_out % h_out, to = at / (w_out * h_out) % t_out,
                                co = at / (w_out * h_out * t_out);
             const float* factor = weight + co * c_in * kt * kh * kw;
             float sum = 0.0F;
             for (std::int64_t ci = 0; ci < c_in; ++ci) {
               for (std::int64_t a = 0; a < kt; ++a) {
                 for (std::int64_t b = 0; b < kh; ++b) {
                   const float* from = x + ((ci * t + to * p.stride_t + a) * h + ho * p.stride_h + b) * w + wo * p.stride_w;
                   for (std::int64_t c = 0; c < kw; ++c) sum += *factor++ * from[c];
                 }
               }
             }
             out[at] = bias == nullptr ? sum : sum + bias[co];
           });
}

void conv1d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], length = x.shape[1], length_out = out.shape[1], taps = weight.shape[2];
  for_each(exec, "conv1d", out.elements(),
           [=, x = x.f32(), weight = weight.f32(), bias = bias.f32(), out = out.f32()] __device__(std::int64_t at) {
             const std::int64_t o = at % length_out, co = at / length_out;
             float sum = 0.0F;
             for (std::int64_t ci = 0; ci < c_in; ++ci) {
               for (std::int64_t tap = 0; tap < taps; ++tap) {
                 const std::int64_t from = o * p.stride - p.padding + tap * p.dilation;
                 if (from >= 0 && from < length) sum += weight[(co * c_in + ci) * taps + tap] * x[ci * length + from];
               }
             }
             out[at] = bias == nullptr ? sum : sum + bias[co];
           });
}

void conv_transpose1d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], length = x.shape[1], c_out = out.shape[0], length_out = out.shape[1], taps = weight.shape[2];
  for_each(exec, "conv_transpose1d", out.elements(),
           [=, x = x.f32(), weight = weight.f32(), bias = bias.f32(), out = out.f32()] __device__(std::int64_t at) {
             const std::int64_t o = at % length_out, co = at / length_out;
             float sum = 0.0F;
             for (std::int64_t ci = 0; ci < c_in; ++ci) {
               for (std::int64_t tap = (o + p.padding) % p.stride; tap < taps; tap += p.stride) {  // those that meet an input
                 const std::int64_t i = (o + p.padding - tap) / p.stride;
                 if (o + p.padding >= tap && i < length) sum += weight[(ci * c_out + co) * taps + tap] * x[ci * length + i];
               }
             }
             out[at] = bias == nullptr ? sum : sum + bias[co];
           });
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
