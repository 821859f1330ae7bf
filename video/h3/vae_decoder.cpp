// The ViT decoder of one clip: tokens of the latent grid through transformer blocks, then each token to its pixels.
#include "video/h3/vae_decoder.h"

#include <cmath>
#include <numbers>
#include <string>

namespace fabula::h3 {
namespace {

struct Grid {
  std::int64_t frames, height, width;

  [[nodiscard]] std::int64_t tokens() const { return frames * height * width; }
};

// MiniMaxH3VideoRotaryPosEmbed: coordinates run over (-1, 1) whatever the grid is; tokens without a position are at 0.
Rotary rotary_of(Context& ctx, const VaeConfig& config, const Grid& grid, std::int64_t suffix) {
  const auto channels = static_cast<std::int64_t>(static_cast<double>(config.decoder_attention_head_dim) * config.decoder_rope_dim_ratio);
  const double step = 6.0 / static_cast<double>(channels);
  const auto frequencies = static_cast<std::size_t>(std::ceil(1.0 / step));
  std::vector<float> inverse(frequencies);
  for (std::size_t f = 0; f < frequencies; ++f) {
    const auto exponent = static_cast<double>(static_cast<float>(static_cast<double>(f) * step));
    inverse[f] = 1.0F / static_cast<float>(std::pow(config.decoder_rope_theta, exponent));
  }
  const auto coordinate = [](std::int64_t i, std::int64_t size) {
    return 2.0F * ((static_cast<float>(i) + 0.5F) / static_cast<float>(size)) - 1.0F;
  };

  std::vector<float> angles;
  angles.reserve(static_cast<std::size_t>(grid.tokens() + suffix) * 3 * frequencies);
  for (std::int64_t token = 0; token < grid.tokens(); ++token) {
    const std::int64_t row = token / grid.width;
    const float place[] = {coordinate(row / grid.height, grid.frames), coordinate(row % grid.height, grid.height),
                           coordinate(token % grid.width, grid.width)};
    for (const float p : place) {
      const float turn = static_cast<float>(2.0 * std::numbers::pi) * p;
      for (const float f : inverse) angles.push_back(turn * f);
    }
  }
  angles.resize(static_cast<std::size_t>(grid.tokens() + suffix) * 3 * frequencies, 0.0F);
  return rotary(ctx, angles, grid.tokens() + suffix);
}

// MiniMaxH3VideoTransformerBlock. x (tokens, dim) is updated in place.
void forward_block(Context& ctx, const VaeConfig& config, const VitBlock& b, const Rotary& rope_angles, Tensor x, const Tap& tap) {
  {
    const Arena::Scope scope(ctx.arena);
    const Tensor a = self_attention(ctx, b.attn, rms_norm(ctx, x, b.norm1, config.decoder_norm_eps), rope_angles);
    tap("attn", a);
    gated_add(ctx, a, {b.scale1.view({1, b.scale1.elements()})}, /*index=*/{}, /*into=*/x);
  }
  {
    const Arena::Scope scope(ctx.arena);
    const Tensor f = feed_forward(ctx, b.ff, rms_norm(ctx, x, b.norm2, config.decoder_norm_eps));
    tap("ff", f);
    gated_add(ctx, f, {b.scale2.view({1, b.scale2.elements()})}, /*index=*/{}, /*into=*/x);
  }
  tap.self(x);
}

// latents (frames, channels, height, width) -> tokens of the grid, then the registers and one zero token: (tokens + suffix, dim)
Tensor embed(Context& ctx, const VaeDecoder& decoder, Tensor latents, const Tap& tap) {
  const Grid grid{latents.shape[0], latents.shape[2], latents.shape[3]};
  const std::int64_t channels = latents.shape[1], registers = decoder.registers.shape[0], dim = decoder.registers.shape[1];
  const Tensor x = ctx.arena.take({grid.tokens() + registers + 1, dim});
  const Arena::Scope scope(ctx.arena);
  const Tensor voxels =
      permute(ctx, latents.view({grid.frames, channels, grid.height * grid.width}), {0, 2, 1}).view({grid.tokens(), channels});
  const Tensor quantised = linear(ctx, voxels, decoder.post_quant);
  if (!tap.absent()) tap("post_quant_conv", permute(ctx, quantised, {1, 0}).view({channels, grid.frames, grid.height, grid.width}));
  const Tensor tokens = linear(ctx, quantised, decoder.proj_in);
  tap("decoder.proj_in", tokens);
  copy(ctx, tokens, x.slice(0, grid.tokens()));
  copy(ctx, decoder.registers, x.slice(grid.tokens(), registers));
  copy(ctx, constant(ctx, std::vector<float>(static_cast<std::size_t>(dim), 0.0F), {1, dim}), x.slice(grid.tokens() + registers, 1));
  return x;
}

// patches (tokens, c·pt·p·p) -> pixels (frames·pt, c, height·p, width·p)
void unpatchify(Context& ctx, const VaeConfig& config, const Grid& grid, Tensor patches, Tensor pixels) {
  const std::int64_t c = config.out_channels, pt = config.temporal_ratio(), p = config.spatial_ratio();
  const std::int64_t per_frame = grid.height * grid.width, picture = per_frame * p * p;
  for (std::int64_t frame = 0; frame < grid.frames; ++frame) {
    const Arena::Scope scope(ctx.arena);
    const Tensor blocks = patches.slice(frame * per_frame, per_frame).view({grid.height, grid.width, c * pt, p, p});
    const Tensor planes = permute(ctx, blocks, {2, 0, 3, 1, 4}).view({c, pt, picture});
    copy(ctx, permute(ctx, planes, {1, 0, 2}), pixels.slice(frame * pt, pt));
  }
}

}  // namespace

VaeDecoder VaeDecoder::take(Weights& weights, const VaeConfig& c) {
  const std::int64_t latent = c.latent_channels, dim = c.decoder_dim();
  const SelfAttention::Dims dims{.width = dim,
                                 .heads = c.decoder_num_attention_heads,
                                 .head_dim = c.decoder_attention_head_dim,
                                 .eps = c.decoder_norm_eps,
                                 .bias = true,
                                 .norm_gain = false};
  VaeDecoder decoder;
  decoder.post_quant = {weights.take("post_quant_conv.weight", {latent, latent, 1, 1, 1}).view({latent, latent}),
                        weights.take("post_quant_conv.bias", {latent})};
  decoder.proj_in = {weights.take("decoder.proj_in.weight", {dim, latent}), weights.take("decoder.proj_in.bias", {dim})};
  decoder.registers =
      weights.take("decoder.register_tokens", {1, c.decoder_num_register_tokens, dim}).view({c.decoder_num_register_tokens, dim});
  for (std::int64_t i = 0; i < c.decoder_num_layers; ++i) {
    const std::string prefix = "decoder.transformer_blocks." + std::to_string(i);
    VitBlock block;
    block.norm1 = weights.take(prefix + ".norm1.weight", {dim});
    block.attn = SelfAttention::take(weights, prefix + ".attn", dims);
    block.scale1 = weights.take(prefix + ".scale1", {dim});
    block.norm2 = weights.take(prefix + ".norm2.weight", {dim});
    block.ff = FeedForward::take(weights, prefix + ".ff", dim, c.decoder_ffn_mult * dim, /*bias=*/true);
    block.scale2 = weights.take(prefix + ".scale2", {dim});
    decoder.blocks.push_back(block);
  }
  decoder.norm_weight = weights.take("decoder.norm_out.weight", {dim});
  decoder.norm_bias = weights.take("decoder.norm_out.bias", {dim});
  decoder.proj_out = weights.take_linear("decoder.proj_out", dim,
                                         c.out_channels * c.temporal_ratio() * c.spatial_ratio() * c.spatial_ratio(), /*bias=*/true);
  return decoder;
}

Tensor decode_clip(Context& ctx, const VaeConfig& config, const VaeDecoder& decoder, Tensor latents, const Tap& tap) {
  const Grid grid{latents.shape[0], latents.shape[2], latents.shape[3]};
  const Tensor pixels = ctx.arena.take({grid.frames * config.temporal_ratio(), config.out_channels, grid.height * config.spatial_ratio(),
                                        grid.width * config.spatial_ratio()});
  const Arena::Scope scope(ctx.arena);
  const Rotary rope_angles = rotary_of(ctx, config, grid, config.decoder_num_register_tokens + 1);
  const Tensor x = embed(ctx, decoder, latents, tap);
  for (std::size_t i = 0; i < decoder.blocks.size(); ++i)
    forward_block(ctx, config, decoder.blocks[i], rope_angles, x, tap.under("decoder.transformer_blocks.", i));
  const Tensor h = layer_norm(ctx, x, decoder.norm_weight, decoder.norm_bias, config.decoder_norm_eps);
  tap("decoder.norm_out", h);
  unpatchify(ctx, config, grid, linear(ctx, h.slice(0, grid.tokens()), decoder.proj_out), pixels);
  return pixels;
}

}  // namespace fabula::h3
