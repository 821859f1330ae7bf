// What the transformer and the video decoder share: self-attention with normalised queries and keys, the SwiGLU feed-forward, rotary
// angles.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/ops.h"
#include "engine/weights/weights.h"

namespace fabula::h3 {

/// cos and sin (rows, rotary channels) for the rotate-half convention; both absent where nothing is rotated.
struct Rotary {
  Tensor cos, sin;
};

/// Angles of rows with three coordinates: row · frequency for the axes t, h, w one after another, then the same again.
/// angles (rows, 3 · frequencies).
[[nodiscard]] Rotary rotary(Context&, std::span<const float> angles, std::int64_t rows);

/// MiniMaxH3Attention, MiniMaxH3VideoAttention: weights `to_q to_k to_v to_out.0` and, where learned, `norm_q norm_k`.
struct SelfAttention {
  Linear q, k, v, out;
  Tensor norm_q, norm_k;  ///< (head_dim), absent where the norm has no gain
  std::int64_t heads = 0;
  float eps = 0.0F;

  struct Dims {
    std::int64_t width, heads, head_dim;
    float eps;
    bool bias, norm_gain;
  };
  static SelfAttention take(Weights&, const std::string& prefix, const Dims&);
};

/// x (rows, width) -> (rows, width): full attention of every row to every row.
[[nodiscard]] Tensor self_attention(Context&, const SelfAttention&, Tensor x, const Rotary&);

/// diffusers' FeedForward(activation_fn="swiglu"): (hidden, gate) = x·W₁, out = (hidden · silu(gate))·W₂.
struct FeedForward {
  Linear in, out;

  static FeedForward take(Weights&, const std::string& prefix, std::int64_t width, std::int64_t inner, bool bias);
};

/// x (rows, width) -> (rows, width).
[[nodiscard]] Tensor feed_forward(Context&, const FeedForward&, Tensor x);

}  // namespace fabula::h3
