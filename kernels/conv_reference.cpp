// Convolutions and padding, as `reference` defines them: products summed in index order.
#include <algorithm>

#include "kernels/families.h"

namespace fabula {
namespace {

/// The indices [begin, end) of a row of `count` for which begin·stride + offset lies in [0, length).
struct Range {
  std::int64_t begin, end;
};
Range inside(std::int64_t count, std::int64_t stride, std::int64_t offset, std::int64_t length) {
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t end = length - offset <= 0 ? 0 : (length - offset + stride - 1) / stride;
  return {std::min(begin, count), std::clamp<std::int64_t>(end, std::min(begin, count), count)};
}

void add_bias(Tensor bias, Tensor out) {
  if (bias.absent()) return;
  const std::int64_t plane = out.elements() / out.shape[0];
  for (std::int64_t channel = 0; channel < out.shape[0]; ++channel) {
    for (std::int64_t i = 0; i < plane; ++i) out.f32()[channel * plane + i] += bias.f32()[channel];
  }
}

// Each convolution sums a row of outputs side by side, every output in the order of the weight's indices.

void conv3d(const Exec&, Tensor x, Tensor weight, Tensor bias, Conv3dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], t = x.shape[1], h = x.shape[2], w = x.shape[3];
  const std::int64_t c_out = out.shape[0], t_out = out.shape[1], h_out = out.shape[2], w_out = out.shape[3];
  const std::int64_t kt = weight.shape[2], kh = weight.shape[3], kw = weight.shape[4];
  std::fill(out.f32(), out.f32() + out.elements(), 0.0F);
  for (std::int64_t co = 0; co < c_out; ++co) {
    for (std::int64_t to = 0; to < t_out; ++to) {
      for (std::int64_t ho = 0; ho < h_out; ++ho) {
        float* row = out.f32() + ((co * t_out + to) * h_out + ho) * w_out;
        const float* factor = weight.f32() + co * c_in * kt * kh * kw;
        for (std::int64_t ci = 0; ci < c_in; ++ci) {
          for (std::int64_t a = 0; a < kt; ++a) {
            for (std::int64_t b = 0; b < kh; ++b) {
              const float* from = x.f32() + ((ci * t + to * p.stride_t + a) * h + ho * p.stride_h + b) * w;
              for (std::int64_t c = 0; c < kw; ++c, ++factor) {
                for (std::int64_t wo = 0; wo < w_out; ++wo) row[wo] += *factor * from[wo * p.stride_w + c];
              }
            }
          }
        }
      }
    }
  }
  add_bias(bias, out);
}

void conv1d(const Exec&, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], length = x.shape[1], c_out = out.shape[0], length_out = out.shape[1], taps = weight.shape[2];
  std::fill(out.f32(), out.f32() + out.elements(), 0.0F);
  for (std::int64_t co = 0; co < c_out; ++co) {
    float* row = out.f32() + co * length_out;
    for (std::int64_t ci = 0; ci < c_in; ++ci) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const float factor = weight.f32()[(co * c_in + ci) * taps + tap];
        const std::int64_t offset = tap * p.dilation - p.padding;
        const Range range = inside(length_out, p.stride, offset, length);
        for (std::int64_t o = range.begin; o < range.end; ++o) row[o] += factor * x.f32()[ci * length + o * p.stride + offset];
      }
    }
  }
  add_bias(bias, out);
}

void conv_transpose1d(const Exec&, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], length = x.shape[1], c_out = out.shape[0], length_out = out.shape[1], taps = weight.shape[2];
  std::fill(out.f32(), out.f32() + out.elements(), 0.0F);
  for (std::int64_t co = 0; co < c_out; ++co) {
    float* row = out.f32() + co * length_out;
    for (std::int64_t ci = 0; ci < c_in; ++ci) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const float factor = weight.f32()[(ci * c_out + co) * taps + tap];
        const std::int64_t offset = tap * p.dilation - p.padding;
        const Range range = inside(length, p.stride, offset, length_out);
        for (std::int64_t i = range.begin; i < range.end; ++i) row[i * p.stride + offset] += factor * x.f32()[ci * length + i];
      }
    }
  }
  add_bias(bias, out);
}

/// Where index i of a padded axis comes from, or -1 for a zero.
std::int64_t source(std::int64_t i, std::int64_t before, std::int64_t extent, Pad mode) {
  std::int64_t at = i - before;
  if (at >= 0 && at < extent) return at;
  switch (mode) {
    case Pad::zero:
      return -1;
    case Pad::replicate:
      return std::clamp<std::int64_t>(at, 0, extent - 1);
    case Pad::reflect:
      return at < 0 ? -at : 2 * (extent - 1) - at;
  }
  return -1;
}

void pad3d(const Exec&, Tensor x, Padding3d p, Pad mode, Tensor out) {
  const std::int64_t channels = x.shape[0], t = x.shape[1], h = x.shape[2], w = x.shape[3];
  const std::int64_t t_out = out.shape[1], h_out = out.shape[2], w_out = out.shape[3];
  float* to = out.f32();
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t a = 0; a < t_out; ++a) {
      const std::int64_t frame = source(a, p.t_front, t, Pad::zero);
      for (std::int64_t b = 0; b < h_out; ++b) {
        const std::int64_t line = source(b, p.h_top, h, mode);
        for (std::int64_t c = 0; c < w_out; ++c, ++to) {
          const std::int64_t column = source(c, p.w_left, w, mode);
          *to = frame < 0 || line < 0 || column < 0 ? 0.0F : x.f32()[((channel * t + frame) * h + line) * w + column];
        }
      }
    }
  }
}

}  // namespace

void add_reference_conv(Kernels& table) {
  table.conv3d = conv3d;
  table.conv1d = conv1d;
  table.conv_transpose1d = conv_transpose1d;
  table.pad3d = pad3d;
}

}  // namespace fabula
