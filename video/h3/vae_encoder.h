// The video autoencoder's encoder: a causal 3D convolution network. Reference: MiniMaxH3VideoEncoder3d and quant_conv (diffusers).
#pragma once

#include <string>
#include <vector>

#include "engine/ops.h"
#include "engine/tap.h"
#include "engine/weights/weights.h"
#include "video/h3/config.h"

namespace fabula::h3 {

/// MiniMaxH3VideoCausalConv3d: frames are padded in front only, with zeros.
struct CausalConv {
  Tensor weight, bias;  ///< (out, in, k, k, k), (out)
  Padding3d padding;
  Conv3dParams stride;
  Pad mode = Pad::reflect;
};

/// MiniMaxH3VideoGroupNorm: statistics of one group of channels of one frame.
struct FrameNorm {
  Tensor weight, bias;  ///< (channels)
  std::int64_t groups = 1;
  float eps = 0.0F;
};

/// MiniMaxH3VideoResnetBlock3d.
struct ResnetBlock {
  FrameNorm norm1, norm2;
  CausalConv conv1, conv2;
  CausalConv shortcut;  ///< 1×1×1; its weight is absent where the width stays
};

/// MiniMaxH3VideoDownBlock3d.
struct DownBlock {
  std::vector<ResnetBlock> resnets;
  CausalConv downsampler;  ///< its weight is absent where nothing shrinks
};

/// Always float32, as the reference keeps it.
struct VaeEncoder {
  CausalConv conv_in;
  std::vector<DownBlock> down_blocks;
  FrameNorm norm_out;
  CausalConv conv_out;
  CausalConv quant_conv;  ///< 1×1×1

  static VaeEncoder take(Weights&, const VaeConfig&);
};

/// The shape of the moments of pixels (in_channels, frames, height, width).
[[nodiscard]] Shape encoded_shape(const VaeEncoder&, Shape pixels);

/// One clip: pixels (in_channels, frames, height, width), ImageNet-normalised -> moments [mean | logvar] (2·latent_channels, t, h, w).
[[nodiscard]] Tensor encode_clip(Context&, const VaeEncoder&, Tensor pixels, const Tap&);

}  // namespace fabula::h3
