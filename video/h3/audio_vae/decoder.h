// Latents -> samples: the BigVGAN decoder (arXiv:2206.04658).
#pragma once

#include <vector>

#include "video/h3/audio_vae/layers.h"

namespace fabula::h3::audio_vae {

/// MiniMaxH3AudioActivation1d around MiniMaxH3AudioSnakeBeta.
struct AliasFreeSnake {
  Tensor alpha, beta;             ///< (channels), in log space
  Tensor up_filter, down_filter;  ///< (12)
};

/// MiniMaxH3AudioAMPBlock: one pair of convolutions a dilation, each behind its own activation.
struct AmpPair {
  AliasFreeSnake activation1, activation2;
  Conv dilated, plain;
};
using AmpBlock = std::vector<AmpPair>;

struct UpsamplingStage {
  Conv up;                       ///< transposed: weight (in, out, kernel)
  std::vector<AmpBlock> blocks;  ///< parallel; their mean is the output
};

struct Decoder {
  Conv in_proj, first;
  std::vector<UpsamplingStage> stages;
  AliasFreeSnake activation;
  Conv last;
};

[[nodiscard]] Decoder take_decoder(Weights& weights, const AudioVaeConfig& config);

/// latents (latent_channels, frames) -> (frames · hop_length), not yet clamped.
[[nodiscard]] Tensor decode(Context& ctx, const Decoder& decoder, Tensor latents, const Tap& tap);

}  // namespace fabula::h3::audio_vae
