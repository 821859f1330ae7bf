// From the transformer's latents to what is seen and heard. Reference: MiniMaxH3VideoDecodeStep, MiniMaxH3AudioDecodeStep (diffusers).
#pragma once

#include <span>

#include "audio/vae/audio_vae.h"
#include "engine/clip_model.h"
#include "engine/ops.h"

namespace fabula::h3 {

/// latents (channels, …) as the transformer sees them -> latents · std + mean, as an autoencoder decodes them.
[[nodiscard]] Tensor denormalise(Context&, Tensor latents, std::span<const float> mean, std::span<const float> std);

/// Clean audio rows (channels · latents, latent channels), channel by channel -> samples (channels, latents · hop length).
[[nodiscard]] Tensor decode_sound(Context&, const AudioVae&, Tensor rows, std::int64_t channels);

/// Pixels (frames, 3, height, width) from ImageNet's normalisation to [0, 1], in place. Nothing happens on the dry device.
void to_unit_range(Tensor frames);

/// One frame (3, height, width) in [0, 1] -> 8 bits a channel, rounded to nearest.
[[nodiscard]] Image to_image(Tensor frame);

}  // namespace fabula::h3
