// Samples -> posterior: the DAC encoder and the causal-attention projection behind it.
#pragma once

#include <cstdint>
#include <vector>

#include "video/h3/audio_vae/layers.h"

namespace fabula::h3::audio_vae {

/// MiniMaxH3AudioResidualUnit.
struct ResidualUnit {
  Tensor snake1;  ///< alpha (channels)
  Conv dilated;
  Tensor snake2;
  Conv pointwise;
};

/// MiniMaxH3AudioEncoderBlock.
struct EncoderBlock {
  std::vector<ResidualUnit> units;
  Tensor snake;
  Conv down;
};

/// MiniMaxH3AudioAttnProjection: latent_dim -> latent_channels.
struct AttentionProjection {
  std::int64_t heads = 0;
  Tensor norm1_weight, norm1_bias, norm2_weight, norm2_bias, norm3_weight, norm3_bias;
  Tensor qkv;                   ///< (3 · latent_dim, latent_dim)
  std::vector<float> qkv_bias;  ///< (3 · latent_dim): query, key (zeros in every known checkpoint), value
  std::vector<float> pooling;   ///< (latent_channels, latent_dim): mean over heads, then adaptive average over the head's channels
  Linear attention_out, proj;
  Tensor mlp_norm_weight, mlp_norm_bias;
  Linear w0, w1, w2;  ///< MiniMaxH3AudioGeGluMlp
};

struct Encoder {
  Conv first;
  std::vector<EncoderBlock> blocks;
  Tensor snake;
  Conv last;
  AttentionProjection projection;
  Conv mean, log_std;
};

[[nodiscard]] Encoder take_encoder(Weights& weights, const AudioVaeConfig& config);

/// samples (1, length) -> (latent_channels, frames).
[[nodiscard]] AudioVae::Posterior encode(Context& ctx, const Encoder& encoder, Tensor samples, const Tap& tap);

}  // namespace fabula::h3::audio_vae
