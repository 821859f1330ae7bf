// DAC: strided convolutions, then causal attention down to the latents.
#include "video/h3/audio_vae/encoder.h"

#include <algorithm>

namespace fabula::h3::audio_vae {
namespace {

constexpr std::int64_t mlp_ratio = 2;
constexpr float norm_eps = 1e-5F;  // torch.nn.LayerNorm's default

Tensor take_snake(Weights& weights, const std::string& prefix, std::int64_t channels) {
  return weights.take(prefix + ".alpha", {1, channels, 1}).view({channels});
}

ResidualUnit take_unit(Weights& weights, const std::string& prefix, std::int64_t dim, std::int64_t dilation) {
  return {
      take_snake(weights, prefix + ".block.0", dim),
      take_conv(weights, prefix + ".block.1", dim, dim, 7, {.padding = 3 * dilation, .dilation = dilation}),
      take_snake(weights, prefix + ".block.2", dim),
      take_conv(weights, prefix + ".block.3", dim, dim, 1, {}),
  };
}

EncoderBlock take_block(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t stride) {
  EncoderBlock block;
  int i = 0;
  for (const std::int64_t dilation : {1, 3, 9})
    block.units.push_back(take_unit(weights, prefix + ".block." + std::to_string(i++), in, dilation));
  block.snake = take_snake(weights, prefix + ".block.3", in);
  block.down = take_conv(weights, prefix + ".block.4", in, 2 * in, 2 * stride, {.stride = stride, .padding = (stride + 1) / 2});
  return block;
}

// The heads are averaged away and what remains is average-pooled to `out` channels (torch.adaptive_avg_pool1d): both are linear, so one
// matrix does it.
std::vector<float> pooling_matrix(std::int64_t in, std::int64_t heads, std::int64_t out) {
  const std::int64_t width = in / heads;
  std::vector<float> matrix(static_cast<std::size_t>(out * in), 0.0F);
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t begin = o * width / out, end = ((o + 1) * width + out - 1) / out;
    for (std::int64_t head = 0; head < heads; ++head) {
      float* row = matrix.data() + o * in + head * width;
      std::fill(row + begin, row + end, 1.0F / static_cast<float>(heads * (end - begin)));
    }
  }
  return matrix;
}

AttentionProjection take_projection(Weights& weights, std::int64_t in, std::int64_t out, std::int64_t heads) {
  AttentionProjection p;
  const std::string prefix = "pre_block.";
  p.heads = heads;
  p.norm1_weight = weights.take(prefix + "norm1.weight", {in});
  p.norm1_bias = weights.take(prefix + "norm1.bias", {in});
  p.norm2_weight = weights.take(prefix + "norm2.weight", {out});
  p.norm2_bias = weights.take(prefix + "norm2.bias", {out});
  p.norm3_weight = weights.take(prefix + "norm3.weight", {in});
  p.norm3_bias = weights.take(prefix + "norm3.bias", {in});
  p.qkv = weights.take_matrix(prefix + "attn.qkv.weight", {3 * in, in});
  for (const char* part : {"attn.q_bias", "attn.zero_k_bias", "attn.v_bias"}) {
    const std::vector<float> bias = weights.take_values(prefix + part, {in});
    p.qkv_bias.insert(p.qkv_bias.end(), bias.begin(), bias.end());
  }
  p.pooling = pooling_matrix(in, heads, out);
  p.attention_out = weights.take_linear(prefix + "attn.proj", out, out, true);
  p.proj = weights.take_linear(prefix + "proj", in, out, true);
  p.mlp_norm_weight = weights.take(prefix + "mlp.norm.weight", {out});
  p.mlp_norm_bias = weights.take(prefix + "mlp.norm.bias", {out});
  p.w0 = weights.take_linear(prefix + "mlp.w0", out, mlp_ratio * out, true);
  p.w1 = weights.take_linear(prefix + "mlp.w1", out, mlp_ratio * out, true);
  p.w2 = weights.take_linear(prefix + "mlp.w2", mlp_ratio * out, out, true);
  return p;
}

// x (channels, length) is updated in place.
void residual_unit(Context& ctx, const ResidualUnit& unit, Tensor x) {
  Arena::Scope scope(ctx.arena);
  Tensor h = convolve(ctx, snake(ctx, x, unit.snake1), unit.dilated);
  h = convolve(ctx, snake(ctx, h, unit.snake2), unit.pointwise);
  add_into(ctx, h, x);
}

Tensor encoder_block(Context& ctx, const EncoderBlock& block, Tensor x) {
  for (const ResidualUnit& unit : block.units) residual_unit(ctx, unit, x);
  return convolve(ctx, snake(ctx, x, block.snake), block.down);
}

// MiniMaxH3AudioCausalAttention: x (frames, in) -> (frames, out).
Tensor causal_attention(Context& ctx, const AttentionProjection& p, Tensor x) {
  const std::int64_t frames = x.shape[0], in = x.shape[1];
  const auto out = static_cast<std::int64_t>(p.pooling.size()) / in;
  const Linear to_qkv{p.qkv, constant(ctx, p.qkv_bias, {3 * in})};
  const Tensor qkv = permute(ctx, linear(ctx, x, to_qkv).view({frames, 3, in}), {1, 0, 2});
  const auto part = [&](std::int64_t i) { return qkv.slice(i, 1).view({frames, p.heads, in / p.heads}); };
  const Tensor a = attention(ctx, part(0), part(1), part(2), /*causal=*/true).view({frames, in});
  const Tensor pooled = linear(ctx, a, {constant(ctx, p.pooling, {out, in}), {}});
  return linear(ctx, pooled, p.attention_out);
}

// MiniMaxH3AudioGeGluMlp: x (frames, out) -> (frames, out).
Tensor geglu_mlp(Context& ctx, const AttentionProjection& p, Tensor x) {
  const Tensor h = layer_norm(ctx, x, p.mlp_norm_weight, p.mlp_norm_bias, norm_eps);
  const auto [gate, up] = linear(ctx, h, std::array{p.w0, p.w1});
  return linear(ctx, gated(ctx, gate, up, Activation::gelu_tanh), p.w2);
}

// x (frames, in) -> (frames, out).
Tensor attention_projection(Context& ctx, const AttentionProjection& p, Tensor x, const Tap& tap) {
  const Tensor a = causal_attention(ctx, p, layer_norm(ctx, x, p.norm1_weight, p.norm1_bias, norm_eps));
  tap("pre_block.attn", a);
  const Tensor h = linear(ctx, layer_norm(ctx, x, p.norm3_weight, p.norm3_bias, norm_eps), p.proj);
  add_into(ctx, a, h);
  const Tensor mlp = geglu_mlp(ctx, p, layer_norm(ctx, h, p.norm2_weight, p.norm2_bias, norm_eps));
  tap("pre_block.mlp", mlp);
  add_into(ctx, mlp, h);
  return h;
}

}  // namespace

Encoder take_encoder(Weights& weights, const AudioVaeConfig& config) {
  Encoder encoder;
  std::int64_t dim = config.encoder_dim;
  const auto layer = [](std::size_t i) { return "encoder.block." + std::to_string(i); };
  encoder.first = take_conv(weights, layer(0), 1, dim, 7, {.padding = 3});
  for (std::size_t i = 0; i < config.encoder_rates.size(); ++i, dim *= 2) {
    encoder.blocks.push_back(take_block(weights, layer(i + 1), dim, config.encoder_rates[i]));
  }
  encoder.snake = take_snake(weights, layer(encoder.blocks.size() + 1), dim);
  encoder.last = take_conv(weights, layer(encoder.blocks.size() + 2), dim, config.latent_dim, 3, {.padding = 1});
  encoder.projection = take_projection(weights, config.latent_dim, config.latent_channels, config.num_attention_heads);
  encoder.mean = take_pointwise(weights, "mean_proj", config.latent_channels, config.latent_channels);
  encoder.log_std = take_pointwise(weights, "logs_proj", config.latent_channels, config.latent_channels);
  return encoder;
}

AudioVae::Posterior encode(Context& ctx, const Encoder& encoder, Tensor samples, const Tap& tap) {
  Tensor x = convolve(ctx, samples, encoder.first);
  tap("encoder.block.0", x);
  std::size_t i = 1;
  for (const EncoderBlock& block : encoder.blocks) {
    x = encoder_block(ctx, block, x);
    tap.under("encoder.block.", i++).self(x);
  }
  x = convolve(ctx, snake(ctx, x, encoder.snake), encoder.last);
  tap("encoder", x);
  x = attention_projection(ctx, encoder.projection, permute(ctx, x, {1, 0}), tap);
  tap("pre_block", x);
  x = permute(ctx, x, {1, 0});
  const AudioVae::Posterior posterior{convolve(ctx, x, encoder.mean), convolve(ctx, x, encoder.log_std)};
  tap("mean_proj", posterior.mean);
  tap("logs_proj", posterior.log_std);
  return posterior;
}

}  // namespace fabula::h3::audio_vae
