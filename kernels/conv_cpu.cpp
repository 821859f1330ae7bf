// Convolutions as products: for a tile of output positions the inputs that each of them sees are laid out as columns, a part of the
// depth at a time, and multiplied by the weight. The columns of one tile fit into the cache and on the stack.
#include <cstring>

#include "base/error.h"
#include "kernels/families.h"
#include "kernels/multiply.h"
#include "kernels/pieces.h"

namespace fabula {
namespace {

constexpr std::int64_t most_positions = 256, most_depth = 256;

/// Tiles of output positions: few enough to keep products large, at least four where there are threads to share them.
std::int64_t positions_in_a_tile(std::int64_t positions) {
  return tile_size(positions, std::clamp<std::int64_t>(positions / 4, 32, most_positions - 16), 16);
}

/// Floats between the rows of a tile of `count` positions: an odd number of cache lines, so that they do not fall on the same few sets of
/// the first-level cache (multiply_cpu.cpp).
std::int64_t tile_stride(std::int64_t count) {
  constexpr std::int64_t floats_per_line = 16;
  return ((count + floats_per_line - 1) / floats_per_line | 1) * floats_per_line;
}

void add_bias(const float* bias, std::int64_t channels, std::int64_t count, std::int64_t stride, float* out) {
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t i = 0; i < count; ++i) out[channel * stride + i] += bias[channel];
  }
}

/// out (c_out, positions) = weight (c_out, depth) · columns (depth, positions) + bias, where columns(d, begin, end, to) writes positions
/// [begin, end) of row d.
template <typename Columns>
void convolve(const Exec& exec, Tensor weight, Tensor bias, Tensor out, const Columns& columns) {
  const std::int64_t c_out = out.shape[0], depth = weight.elements() / c_out, positions = out.elements() / c_out;
  in_pieces(exec, positions, positions_in_a_tile(positions), [&](std::int64_t begin, std::int64_t end) {
    float tile[most_depth * most_positions];
    const std::int64_t count = end - begin, stride = tile_stride(count);
    for (std::int64_t from = 0; from < depth; from += most_depth) {
      const std::int64_t rows = std::min(most_depth, depth - from);
      for (std::int64_t d = 0; d < rows; ++d) columns(from + d, begin, end, tile + d * stride);
      multiply({weight.f32() + from, depth}, {tile, stride}, {out.f32() + begin, positions}, c_out, count, rows, from > 0);
    }
    if (!bias.absent()) add_bias(bias.f32(), c_out, count, positions, out.f32() + begin);
  });
}

/// The same where each position sees exactly itself: the columns are the input.
void convolve_pointwise(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Tensor out) {
  const std::int64_t c_in = x.shape[0], c_out = out.shape[0], positions = out.elements() / c_out;
  in_pieces(exec, positions, positions_in_a_tile(positions), [&](std::int64_t begin, std::int64_t end) {
    multiply({weight.f32(), c_in}, {x.f32() + begin, positions}, {out.f32() + begin, positions}, c_out, end - begin, c_in, false);
    if (!bias.absent()) add_bias(bias.f32(), c_out, end - begin, positions, out.f32() + begin);
  });
}

void copy_strided(const float* from, std::int64_t stride, std::int64_t count, float* to) {
  if (stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
  }
}

void conv3d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv3dParams p, Tensor out) {
  const std::int64_t t = x.shape[1], h = x.shape[2], w = x.shape[3], h_out = out.shape[2], w_out = out.shape[3];
  const std::int64_t kt = weight.shape[2], kh = weight.shape[3], kw = weight.shape[4];
  if (out.elements() == 0) return;
  if (kt * kh * kw == 1 && p.stride_t == 1 && p.stride_h == 1 && p.stride_w == 1) return convolve_pointwise(exec, x, weight, bias, out);
  convolve(exec, weight, bias, out, [&](std::int64_t d, std::int64_t begin, std::int64_t end, float* to) {
    const std::int64_t c = d % kw, b = d / kw % kh, a = d / (kw * kh) % kt, channel = d / (kw * kh * kt);
    for (std::int64_t at = begin; at < end;) {  // line by line of the output
      const std::int64_t column = at % w_out, line = at / w_out % h_out, frame = at / (w_out * h_out);
      const std::int64_t count = std::min(w_out - column, end - at);
      const float* from = x.f32() + ((channel * t + frame * p.stride_t + a) * h + line * p.stride_h + b) * w + column * p.stride_w + c;
      copy_strided(from, p.stride_w, count, to);
      to += count;
      at += count;
    }
  });
}

void conv1d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t length = x.shape[1], taps = weight.shape[2];
  if (out.elements() == 0) return;
  if (taps == 1 && p.stride == 1 && p.padding == 0) return convolve_pointwise(exec, x, weight, bias, out);
  convolve(exec, weight, bias, out, [&](std::int64_t d, std::int64_t begin, std::int64_t end, float* to) {
    const std::int64_t offset = d % taps * p.dilation - p.padding;
    const float* channel = x.f32() + d / taps * length;
    // Positions [inside, outside) see a sample, those before and after see padding.
    const std::int64_t inside = std::clamp<std::int64_t>(offset >= 0 ? 0 : (-offset + p.stride - 1) / p.stride, begin, end);
    const std::int64_t outside = std::clamp<std::int64_t>(length <= offset ? 0 : (length - offset + p.stride - 1) / p.stride, inside, end);
    std::fill(to, to + (inside - begin), 0.0F);
    if (outside > inside) copy_strided(channel + inside * p.stride + offset, p.stride, outside - inside, to + (inside - begin));
    std::fill(to + (outside - begin), to + (end - begin), 0.0F);
  });
}

// Every input position makes c_out · k values, which are added up where they fall. A tile is a stretch of output, so that no two
// threads add to one sample; inputs at a border between tiles are multiplied by both.
void conv_transpose1d(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Conv1dParams p, Tensor out) {
  const std::int64_t c_in = x.shape[0], length = x.shape[1], c_out = out.shape[0], length_out = out.shape[1], taps = weight.shape[2];
  constexpr std::int64_t room = most_depth * most_positions;
  const std::int64_t tile = tile_size(length, std::clamp<std::int64_t>(length / 4, 16, 128), 16) * p.stride;
  if ((tile + taps) / p.stride + 2 > room)
    throw Error(ExitCode::internal, "conv_transpose1d: a kernel of " + std::to_string(taps) + " taps is too long");
  in_pieces(exec, length_out, tile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = 0; channel < c_out; ++channel) {
      std::fill_n(out.f32() + channel * length_out + begin, end - begin, bias.absent() ? 0.0F : bias.f32()[channel]);
    }
    const std::int64_t first = std::max<std::int64_t>(0, (begin + p.padding - taps + p.stride) / p.stride);
    const std::int64_t inputs = std::min(length, (end - 1 + p.padding) / p.stride + 1) - first;
    if (inputs <= 0) return;
    float products[room];  // (rows, inputs): row r is tap r % taps of output channel r / taps
    const std::int64_t rows_at_once = room / inputs;
    for (std::int64_t from = 0; from < c_out * taps; from += rows_at_once) {
      const std::int64_t rows = std::min(rows_at_once, c_out * taps - from);
      multiply({weight.f32() + from, c_out * taps, true}, {x.f32() + first, length}, {products, inputs}, rows, inputs, c_in, false);
      for (std::int64_t row = 0; row < rows; ++row) {
        float* samples = out.f32() + (from + row) / taps * length_out;
        const std::int64_t start = first * p.stride - p.padding + (from + row) % taps;
        const float* product = products + row * inputs;
        std::int64_t i = start >= begin ? 0 : (begin - start + p.stride - 1) / p.stride;
        for (; i < inputs && start + i * p.stride < end; ++i) samples[start + i * p.stride] += product[i];
      }
    }
  });
}

/// Where index i of a padded axis comes from, or -1 for a zero.
std::int64_t source(std::int64_t i, std::int64_t before, std::int64_t extent, Pad mode) {
  const std::int64_t at = i - before;
  if (at >= 0 && at < extent) return at;
  if (mode == Pad::zero) return -1;
  if (mode == Pad::replicate) return at < 0 ? 0 : extent - 1;
  return at < 0 ? -at : 2 * (extent - 1) - at;
}

void pad3d(const Exec& exec, Tensor x, Padding3d p, Pad mode, Tensor out) {
  const std::int64_t t = x.shape[1], h = x.shape[2], w = x.shape[3], t_out = out.shape[1], h_out = out.shape[2], w_out = out.shape[3];
  in_pieces(exec, out.rows(), rows_in_a_piece(w_out), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t line = source(row % h_out, p.h_top, h, mode), frame = row / h_out % t_out - p.t_front,
                         channel = row / (h_out * t_out);
      float* to = out.f32() + row * w_out;
      if (line < 0 || frame < 0 || frame >= t) {
        std::fill_n(to, w_out, 0.0F);
        continue;
      }
      const float* from = x.f32() + ((channel * t + frame) * h + line) * w;
      std::copy_n(from, w, to + p.w_left);
      const auto fill = [&](std::int64_t i) {
        const std::int64_t column = source(i, p.w_left, w, mode);
        to[i] = column < 0 ? 0.0F : from[column];
      };
      for (std::int64_t i = 0; i < p.w_left; ++i) fill(i);
      for (std::int64_t i = p.w_left + w; i < w_out; ++i) fill(i);
    }
  });
}

}  // namespace

void add_cpu_conv(Kernels& table) {
  table.conv3d = conv3d;
  table.conv1d = conv1d;
  table.conv_transpose1d = conv_transpose1d;
  table.pad3d = pad3d;
}

}  // namespace fabula
