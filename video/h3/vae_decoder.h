// The video autoencoder's decoder: a transformer in which every latent voxel is a token. Reference: post_quant_conv and
// MiniMaxH3VideoViTDecoder3d (diffusers).
#pragma once

#include <vector>

#include "engine/ops.h"
#include "engine/tap.h"
#include "engine/weights/weights.h"
#include "video/h3/attention.h"
#include "video/h3/config.h"

namespace fabula::h3 {

/// MiniMaxH3VideoTransformerBlock: each residual branch has a learned gain per channel.
struct VitBlock {
  Tensor norm1, scale1;  ///< (dim)
  SelfAttention attn;
  Tensor norm2, scale2;  ///< (dim)
  FeedForward ff;
};

struct VaeDecoder {
  Linear post_quant;  ///< a 1×1×1 convolution is a product over channels
  Linear proj_in;     ///< latent_channels -> dim
  Tensor registers;   ///< (registers, dim): tokens without a position
  std::vector<VitBlock> blocks;
  Tensor norm_weight, norm_bias;  ///< (dim)
  Linear proj_out;                ///< dim -> out_channels · temporal ratio · spatial ratio²

  static VaeDecoder take(Weights&, const VaeConfig&);
};

/// One clip: latents (frames, latent_channels, height, width), denormalised -> pixels (frames · temporal ratio, out_channels,
/// height · ratio, width · ratio), ImageNet-normalised.
[[nodiscard]] Tensor decode_clip(Context&, const VaeConfig&, const VaeDecoder&, Tensor latents, const Tap&);

}  // namespace fabula::h3
