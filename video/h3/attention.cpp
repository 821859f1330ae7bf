// Attention, feed-forward and rotary angles that transformer and video decoder share.
#include "video/h3/attention.h"

#include <cmath>
#include <vector>

namespace fabula::h3 {

Rotary rotary(Context& ctx, std::span<const float> angles, std::int64_t rows) {
  const std::size_t half = angles.size() / static_cast<std::size_t>(rows);
  std::vector<float> cosines(2 * angles.size()), sines(2 * angles.size());
  for (std::size_t i = 0; i < angles.size(); ++i) {
    const std::size_t first = i / half * 2 * half + i % half;  // the angle is in both halves of its row
    cosines[first] = cosines[first + half] = std::cos(angles[i]);
    sines[first] = sines[first + half] = std::sin(angles[i]);
  }
  const Shape shape{rows, static_cast<std::int64_t>(2 * half)};
  return {constant(ctx, cosines, shape), constant(ctx, sines, shape)};
}

SelfAttention SelfAttention::take(Weights& weights, const std::string& prefix, const Dims& dims) {
  const std::int64_t inner = dims.heads * dims.head_dim;
  SelfAttention attention;
  attention.q = weights.take_linear(prefix + ".to_q", dims.width, inner, dims.bias);
  attention.k = weights.take_linear(prefix + ".to_k", dims.width, inner, dims.bias);
  attention.v = weights.take_linear(prefix + ".to_v", dims.width, inner, dims.bias);
  attention.out = weights.take_linear(prefix + ".to_out.0", inner, dims.width, dims.bias);
  if (dims.norm_gain) {
    attention.norm_q = weights.take(prefix + ".norm_q.weight", {dims.head_dim});
    attention.norm_k = weights.take(prefix + ".norm_k.weight", {dims.head_dim});
  }
  attention.heads = dims.heads;
  attention.eps = dims.eps;
  return attention;
}

Tensor self_attention(Context& ctx, const SelfAttention& a, Tensor x, const Rotary& rope_angles) {
  const auto by_head = [&](Tensor rows) { return rows.view({rows.shape[0], a.heads, rows.shape[1] / a.heads}); };
  // Without angles the norm alone.
  const auto normed = [&](Tensor rows, Tensor weight) {
    if (rope_angles.cos.absent()) return rms_norm(ctx, rows, weight, a.eps);
    rms_norm_rope(ctx, rows, weight, a.eps, rope_angles.cos, rope_angles.sin);
    return rows;
  };
  const auto [queries, keys, values] = linear(ctx, x, std::array{a.q, a.k, a.v});
  const Tensor q = normed(by_head(queries), a.norm_q), k = normed(by_head(keys), a.norm_k), v = by_head(values);
  const Tensor mixed = attention(ctx, q, k, v, /*causal=*/false);
  return linear(ctx, mixed.view({mixed.shape[0], mixed.shape[1] * mixed.shape[2]}), a.out);
}

FeedForward FeedForward::take(Weights& weights, const std::string& prefix, std::int64_t width, std::int64_t inner, bool bias) {
  return {weights.take_linear(prefix + ".net.0.proj", width, 2 * inner, bias), weights.take_linear(prefix + ".net.2", inner, width, bias)};
}

Tensor feed_forward(Context& ctx, const FeedForward& ff, Tensor x) {
  return linear(ctx, gated_halves(ctx, linear(ctx, x, ff.in), Activation::silu, GateHalf::second), ff.out);
}

}  // namespace fabula::h3
