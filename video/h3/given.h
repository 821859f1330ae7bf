// What a clip is led by, from pictures and sounds to rows of the packed sequence. References: encode_vae_condition,
// MiniMaxH3Ref2VAReferenceEncoderStep, MiniMaxH3PrepareConditionLatentsStep (diffusers).
#pragma once

#include <vector>

#include "engine/conditioning.h"
#include "engine/given_media.h"
#include "engine/machine.h"
#include "engine/sample/rng.h"
#include "video/h3/audio_vae/audio_vae.h"
#include "video/h3/layout.h"
#include "video/h3/vae.h"

namespace fabula::h3 {

/// In no file: each picture's posterior is drawn with a generator of its own.
constexpr std::uint64_t posterior_seed = 42;

/// The nearest number of 11 significant bits, as IEEE half precision has them; ties to even.
[[nodiscard]] float rounded_to_half(float);

/// Pictures of one size (a still or a video) -> normalised latents (latent channels, frames, height, width): the posterior drawn with
/// posterior_seed, rounded to half precision. A video is cut to whole chunks first: 17n + 5 frames, at least 22. Taps "condition_moments".
[[nodiscard]] LatentTensor encode_pictures(Context&, const VideoVae&, const std::vector<Image>& pictures, const Tap& = {});
/// A sound at the autoencoder's rate -> normalised rows (channels · latents, latent channels): the posterior's mean.
[[nodiscard]] LatentTensor encode_sound(Context&, const AudioVae&, const Sound&);

/// All that `media`, which are normalised (request.h), lead a clip by, in packed order. Each of its encodings is a run on the machine.
/// Taps "condition_moments.i".
[[nodiscard]] std::vector<GivenLatents> encode_given(const Machine&, const VideoVae&, const AudioVae&, const GivenMedia& media,
                                                     const Tap& = {});

/// How a clip of this geometry is packed with what it is given. Throws Error(bad_data) where frames do not fit the canvas.
[[nodiscard]] Layout pack_given(const ClipGeometry&, const Conditioning&);

/// Writes the given rows: pictures mixed with noise at `level`, drawn from `generator` one by one and first of all; sounds as they are.
/// video (given video rows, patch width), audio (given audio rows, latent channels). Taps "condition_noise.i" and "condition_rows".
void write_given(Context&, const ClipGeometry&, const std::vector<GivenLatents>&, float level, TorchGenerator& generator, Tensor video,
                 Tensor audio, const Tap& = {});

}  // namespace fabula::h3
