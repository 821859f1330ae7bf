// The causal convolutional encoder of one clip.
#include "video/h3/vae_encoder.h"

#include "base/error.h"

namespace fabula::h3 {
namespace {

// ---- weights

CausalConv take_conv(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t out, std::int64_t kernel, Pad mode) {
  CausalConv conv;
  conv.weight = weights.take(prefix + ".weight", {out, in, kernel, kernel, kernel});
  conv.bias = weights.take(prefix + ".bias", {out});
  const std::int64_t side = kernel / 2;
  conv.padding = {.t_front = kernel - 1, .h_top = side, .h_bottom = side, .w_left = side, .w_right = side};
  conv.mode = mode;
  return conv;
}

FrameNorm take_norm(Weights& weights, const std::string& prefix, std::int64_t channels, const VaeConfig& c) {
  return {weights.take(prefix + ".weight", {channels}), weights.take(prefix + ".bias", {channels}), c.norm_num_groups, c.norm_eps};
}

ResnetBlock take_resnet(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t out, const VaeConfig& c) {
  ResnetBlock block;
  block.norm1 = take_norm(weights, prefix + ".norm1", in, c);
  block.conv1 = take_conv(weights, prefix + ".conv1", in, out, 3, c.spatial_padding);
  block.norm2 = take_norm(weights, prefix + ".norm2", out, c);
  block.conv2 = take_conv(weights, prefix + ".conv2", out, out, 3, c.spatial_padding);
  if (in != out) block.shortcut = take_conv(weights, prefix + ".conv_shortcut", in, out, 1, c.spatial_padding);
  return block;
}

// MiniMaxH3VideoDownsample3d: halving pads one row below and one column at the right; otherwise height and width are not padded at all.
CausalConv take_downsampler(Weights& weights, const std::string& prefix, std::int64_t channels, std::int64_t time, std::int64_t space,
                            Pad mode) {
  CausalConv conv = take_conv(weights, prefix + ".conv", channels, channels, 3, mode);
  const std::int64_t edge = space == 2 ? 1 : 0;
  conv.padding = {.t_front = 2, .h_bottom = edge, .w_right = edge};
  conv.stride = {time, space, space};
  return conv;
}

DownBlock take_down_block(Weights& weights, const std::string& prefix, std::int64_t in, std::size_t level, const VaeConfig& c) {
  DownBlock block;
  const std::int64_t out = c.block_out_channels[level], time = c.temporal_downsample_factors[level],
                     space = c.spatial_downsample_factors[level];
  for (std::int64_t i = 0; i < c.layers_per_block; ++i)
    block.resnets.push_back(take_resnet(weights, prefix + ".resnets." + std::to_string(i), i == 0 ? in : out, out, c));
  if (time * space > 1) block.downsampler = take_downsampler(weights, prefix + ".downsamplers.0", out, time, space, c.spatial_padding);
  return block;
}

// ---- modules

Shape result_shape(const CausalConv& conv, Shape x) {
  const Padding3d& p = conv.padding;
  const auto extent = [&](int axis, std::int64_t padding, std::int64_t stride) {
    return (x[axis] + padding - conv.weight.shape[axis + 1]) / stride + 1;
  };
  return {conv.weight.shape[0], extent(1, p.t_front, conv.stride.stride_t), extent(2, p.h_top + p.h_bottom, conv.stride.stride_h),
          extent(3, p.w_left + p.w_right, conv.stride.stride_w)};
}

Tensor causal_conv(Context& ctx, const CausalConv& conv, Tensor x) {
  const bool pointwise = conv.weight.shape[2] == 1;
  return conv3d(ctx, pointwise ? x : pad3d(ctx, x, conv.padding, conv.mode), conv.weight, conv.bias, conv.stride);
}

Tensor norm_silu(Context& ctx, const FrameNorm& norm, Tensor x) {
  return group_norm(ctx, x, norm.weight, norm.bias, norm.groups, norm.eps, Activation::silu);
}

// MiniMaxH3VideoResnetBlock3d. x (in, t, h, w) -> (out, t, h, w)
Tensor resnet(Context& ctx, const ResnetBlock& b, Tensor x) {
  const Tensor out = ctx.arena.take(result_shape(b.conv1, x.shape));
  const Arena::Scope scope(ctx.arena);
  Tensor h = causal_conv(ctx, b.conv1, norm_silu(ctx, b.norm1, x));
  h = causal_conv(ctx, b.conv2, norm_silu(ctx, b.norm2, h));
  const Tensor residual = b.shortcut.weight.absent() ? x : causal_conv(ctx, b.shortcut, x);
  axpby_into(ctx, 1.0F, residual, 1.0F, h, out);
  return out;
}

Shape result_shape(const DownBlock& b, Shape x) {
  const Shape shape = result_shape(b.resnets.front().conv1, x);  // the other convolutions keep it
  return b.downsampler.weight.absent() ? shape : result_shape(b.downsampler, shape);
}

// MiniMaxH3VideoDownBlock3d.
Tensor down_block(Context& ctx, const DownBlock& b, Tensor x, const Tap& tap) {
  const Tensor out = ctx.arena.take(result_shape(b, x.shape));
  const Arena::Scope scope(ctx.arena);
  for (std::size_t i = 0; i < b.resnets.size(); ++i) {
    x = resnet(ctx, b.resnets[i], x);
    tap.under("resnets.", i).self(x);
  }
  if (!b.downsampler.weight.absent()) {
    x = causal_conv(ctx, b.downsampler, x);
    tap("downsamplers.0", x);
  }
  copy(ctx, x, out);
  tap.self(out);
  return out;
}

}  // namespace

VaeEncoder VaeEncoder::take(Weights& weights, const VaeConfig& c) {
  const Pad mode = c.spatial_padding;
  const std::int64_t moments = 2 * c.latent_channels;
  VaeEncoder encoder;
  std::int64_t channels = c.block_out_channels.front();
  encoder.conv_in = take_conv(weights, "encoder.conv_in", c.in_channels, channels, 3, mode);
  for (std::size_t level = 0; level < c.block_out_channels.size(); ++level) {
    encoder.down_blocks.push_back(take_down_block(weights, "encoder.down_blocks." + std::to_string(level), channels, level, c));
    channels = c.block_out_channels[level];
  }
  encoder.norm_out = take_norm(weights, "encoder.norm_out", channels, c);
  encoder.conv_out = take_conv(weights, "encoder.conv_out", channels, moments, 3, mode);
  encoder.quant_conv = take_conv(weights, "quant_conv", moments, moments, 1, mode);
  return encoder;
}

Shape encoded_shape(const VaeEncoder& encoder, Shape pixels) {
  Shape shape = result_shape(encoder.conv_in, pixels);
  for (const DownBlock& block : encoder.down_blocks) shape = result_shape(block, shape);
  return result_shape(encoder.conv_out, shape);
}

Tensor encode_clip(Context& ctx, const VaeEncoder& encoder, Tensor pixels, const Tap& tap) {
  const Tap inner = tap.under("encoder");
  Tensor x = causal_conv(ctx, encoder.conv_in, pixels);
  inner("conv_in", x);
  for (std::size_t i = 0; i < encoder.down_blocks.size(); ++i)
    x = down_block(ctx, encoder.down_blocks[i], x, inner.under("down_blocks.", i));
  x = causal_conv(ctx, encoder.conv_out, norm_silu(ctx, encoder.norm_out, x));
  tap("encoder", x);
  x = causal_conv(ctx, encoder.quant_conv, x);
  tap("quant_conv", x);
  return x;
}

}  // namespace fabula::h3
