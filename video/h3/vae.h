// AutoencoderKLMiniMaxH3 (diffusers): pixels <-> latents, clip by clip.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "engine/tap.h"
#include "engine/weights/weights.h"
#include "video/h3/config.h"
#include "video/h3/vae_decoder.h"
#include "video/h3/vae_encoder.h"
#include "video/tiling/tiling.h"

namespace fabula::h3 {

/// Pixels are (frames, channels, height, width), ImageNet-normalised RGB; latents and moments (channels, frames, height, width).
struct VideoVae {
  VaeConfig config;
  Weights weights;  ///< keeps the tensors below valid
  VaeEncoder encoder;
  VaeDecoder decoder;

  VideoVae(VaeConfig its_config, Weights its_weights) : config(std::move(its_config)), weights(std::move(its_weights)) {}
  /// Reads config.json and the weights of a `vae` folder. Throws Error (input_missing, bad_data).
  static VideoVae load(const std::filesystem::path& folder, Precision precision, DeviceKind device = DeviceKind::cpu);
  /// The same with shapes and no values: weights.bytes() is what it would take, and runs on the dry device are as long.
  static VideoVae measure(const std::filesystem::path& folder, Precision precision);
  /// The same of weights that are open.
  static VideoVae take(const VaeConfig&, Weights);
};

/// pixels (frames, in_channels, height, width) -> moments (2·latent_channels, latent frames, height / ratio, width / ratio): the mean, then
/// the logarithm of the variance. One frame is one latent frame; longer videos go in clips of clip_length, the last filled up with its
/// last frame, and lose token_drop latent frames at the end. Tiling absent: no tiles.
[[nodiscard]] Tensor encode(Context&, const VideoVae&, Tensor pixels, const std::optional<Tiling>&, const Tap& = {});

/// How many chunks `latent_frames` are decoded in, and how many pixel frames come out. Throws Error(bad_data) where they are too few.
[[nodiscard]] std::int64_t decoded_chunks(const VaeConfig&, std::int64_t latent_frames);
[[nodiscard]] std::int64_t decoded_frames(const VaeConfig&, std::int64_t latent_frames);

/// Frames in order, as they become final: (count, out_channels, height, width), valid during the call. Called once per chunk, and once more
/// for the last overlap.
using FramesReceiver = std::function<void(Tensor frames)>;

/// latents (latent_channels, latent frames, height, width), denormalised. Memory holds one chunk and one overlap, however long the video
/// is.
void decode(Context&, const VideoVae&, Tensor latents, const std::optional<Tiling>&, const FramesReceiver&, const Tap& = {});

}  // namespace fabula::h3
