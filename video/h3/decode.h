// From the transformer's latents to frames and samples. Reference: MiniMaxH3VideoDecodeStep, MiniMaxH3AudioDecodeStep (diffusers).
#pragma once

#include <span>
#include <vector>

#include "engine/clip_model.h"
#include "engine/ops.h"
#include "video/h3/audio_vae/audio_vae.h"

namespace fabula::h3 {

/// latents (channels, …) as the transformer sees them -> latents · std + mean, as an autoencoder decodes them.
[[nodiscard]] Tensor denormalise(Context&, Tensor latents, std::span<const float> mean, std::span<const float> std);

/// Clean audio rows (channels · latents, latent channels), channel by channel -> samples (channels, latents · hop length).
[[nodiscard]] Tensor decode_sound(Context&, const AudioVae&, Tensor rows, std::int64_t channels);

/// Frames (frames, 3, height, width) in ImageNet's normalisation as pictures; none on the dry device.
[[nodiscard]] std::vector<Image> images_of(Context&, Tensor frames);

/// Pixels (frames, 3, height, width) on the host, from ImageNet's normalisation to [0, 1], in place. `picture`: height · width.
void to_unit_range(std::span<float> frames, std::int64_t picture);

/// An 8-bit value of colour 0, 1 or 2 in ImageNet's normalisation.
[[nodiscard]] float normalised_pixel(std::uint8_t value, std::size_t colour);

}  // namespace fabula::h3
