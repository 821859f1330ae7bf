// Convolutions, padding and the activations of the audio decoder.
#include "engine/ops.h"
#include "engine/ops_check.h"

namespace fabula {

Tensor conv3d(Context& ctx, Tensor x, Tensor weight, Tensor bias, Conv3dParams p) {
  bool fits = is_f32(x, 4) && is_f32(weight, 5) && weight.shape[1] == x.shape[0] && is_vector_or_absent(bias, weight.shape[0]) &&
              p.stride_t > 0 && p.stride_h > 0 && p.stride_w > 0;
  for (int axis = 1; fits && axis < 4; ++axis) fits = weight.shape[axis + 1] > 0 && x.shape[axis] >= weight.shape[axis + 1];
  if (!fits) {
    refuse("conv3d", "x (c_in, t, h, w) no smaller than the kernel, weight (c_out, c_in, kt, kh, kw), bias (c_out) or absent, all f32",
           {{"x", x}, {"weight", weight}, {"bias", bias}});
  }
  const auto extent = [&](int axis, std::int64_t stride) { return (x.shape[axis] - weight.shape[axis + 1]) / stride + 1; };
  Tensor out = ctx.arena.take({weight.shape[0], extent(1, p.stride_t), extent(2, p.stride_h), extent(3, p.stride_w)});
  ctx.kernels.conv3d(ctx.exec, x, weight, bias, p, out);
  return out;
}

Tensor conv1d(Context& ctx, Tensor x, Tensor weight, Tensor bias, Conv1dParams p) {
  const bool fits = is_f32(x, 2) && is_f32(weight, 3) && weight.shape[1] == x.shape[0] && weight.shape[2] > 0 &&
                    is_vector_or_absent(bias, weight.shape[0]) && p.stride > 0 && p.dilation > 0 && p.padding >= 0;
  const std::int64_t room = fits ? x.shape[1] + 2 * p.padding - p.dilation * (weight.shape[2] - 1) - 1 : -1;
  if (room < 0) {
    refuse("conv1d", "x (c_in, length) no shorter than the kernel, weight (c_out, c_in, k), bias (c_out) or absent, all f32",
           {{"x", x}, {"weight", weight}, {"bias", bias}});
  }
  Tensor out = ctx.arena.take({weight.shape[0], room / p.stride + 1});
  ctx.kernels.conv1d(ctx.exec, x, weight, bias, p, out);
  return out;
}

Tensor conv_transpose1d(Context& ctx, Tensor x, Tensor weight, Tensor bias, Conv1dParams p) {
  const bool fits = is_f32(x, 2) && is_f32(weight, 3) && weight.shape[0] == x.shape[0] && is_vector_or_absent(bias, weight.shape[1]) &&
                    p.stride > 0 && p.dilation == 1 && p.padding >= 0;
  const std::int64_t length = fits ? (x.shape[1] - 1) * p.stride - 2 * p.padding + weight.shape[2] : 0;
  if (length < 1) {
    refuse("conv_transpose1d",
           "x (c_in, length), weight (c_in, c_out, k), bias (c_out) or absent, all f32, dilation 1, an output of at least one sample",
           {{"x", x}, {"weight", weight}, {"bias", bias}});
  }
  Tensor out = ctx.arena.take({weight.shape[1], length});
  ctx.kernels.conv_transpose1d(ctx.exec, x, weight, bias, p, out);
  return out;
}

Tensor pad3d(Context& ctx, Tensor x, Padding3d p, Pad mode) {
  const std::int64_t amounts[] = {p.t_front, p.t_back, p.h_top, p.h_bottom, p.w_left, p.w_right};
  bool fits = is_f32(x, 4) && x.elements() > 0;
  for (const std::int64_t amount : amounts) fits = fits && amount >= 0;
  for (int side = 2; fits && mode == Pad::reflect && side < 6; ++side) fits = amounts[side] < x.shape[side / 2 + 1];
  if (!fits) refuse("pad3d", "x (channels, t, h, w) f32, amounts not negative, and below the extent where it is reflected", {{"x", x}});
  Tensor out =
      ctx.arena.take({x.shape[0], x.shape[1] + p.t_front + p.t_back, x.shape[2] + p.h_top + p.h_bottom, x.shape[3] + p.w_left + p.w_right});
  ctx.kernels.pad3d(ctx.exec, x, p, mode, out);
  return out;
}

Tensor snake(Context& ctx, Tensor x, Tensor alpha) {
  if (!is_f32(x, 2) || !is_vector(alpha, x.shape[0]))
    refuse("snake", "x (channels, length), alpha (channels) f32", {{"x", x}, {"alpha", alpha}});
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.snake(ctx.exec, x, alpha, out);
  return out;
}

Tensor snake_beta_alias_free(Context& ctx, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter) {
  const auto is_filter = [](const Tensor& filter) {
    return filter.elements() > 0 && filter.elements() % 2 == 0 && filter.elements() <= most_filter_taps &&
           is_vector(filter, filter.elements());
  };
  if (!is_filter(up_filter) || !is_filter(down_filter) || !is_f32(x, 2) || x.shape[1] < 1 || !is_vector(alpha, x.shape[0]) ||
      !is_vector(beta, x.shape[0])) {
    refuse("snake_beta_alias_free",
           "x (channels, length), alpha and beta (channels), filters of an even number of taps up to " + std::to_string(most_filter_taps) +
               ", all f32",
           {{"x", x}, {"alpha", alpha}, {"beta", beta}, {"up_filter", up_filter}, {"down_filter", down_filter}});
  }
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.snake_beta_alias_free(ctx.exec, x, alpha, beta, up_filter, down_filter, out);
  return out;
}

}  // namespace fabula
