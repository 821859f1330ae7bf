// The layers that the audio autoencoder's encoder and decoder are built from.
#pragma once

#include <string>

#include "engine/ops.h"
#include "engine/weights/weights.h"
#include "video/h3/audio_vae/audio_vae.h"

namespace fabula::h3::audio_vae {

/// A one-dimensional convolution over (channels, length).
struct Conv {
  Tensor weight, bias;
  Conv1dParams params;
};

/// `prefix.weight_g`, `prefix.weight_v` (out, in, kernel) and, with `bias`, `prefix.bias` (out).
inline Conv take_conv(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t out, std::int64_t kernel,
                      Conv1dParams params, bool bias = true) {
  return {weights.take_weight_norm(prefix, {out, in, kernel}), bias ? weights.take(prefix + ".bias", {out}) : Tensor{}, params};
}

/// A convolution of kernel 1 without weight norm, as the projections around the latents are.
inline Conv take_pointwise(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t out) {
  return {weights.take(prefix + ".weight", {out, in, 1}), weights.take(prefix + ".bias", {out}), {}};
}

inline Tensor convolve(Context& ctx, Tensor x, const Conv& conv) { return conv1d(ctx, x, conv.weight, conv.bias, conv.params); }

}  // namespace fabula::h3::audio_vae
