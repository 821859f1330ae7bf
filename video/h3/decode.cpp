// Denormalised latents through the two decoders; pixels to 8 bits.
#include "video/h3/decode.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

constexpr float pixel_mean[] = {0.485F, 0.456F, 0.406F};
constexpr float pixel_std[] = {0.229F, 0.224F, 0.225F};

}  // namespace

Tensor denormalise(Context& ctx, Tensor latents, std::span<const float> mean, std::span<const float> std) {
  const auto channels = static_cast<std::int64_t>(mean.size());
  return affine_channels(ctx, latents, constant(ctx, std, {channels}), constant(ctx, mean, {channels}));
}

Tensor decode_sound(Context& ctx, const AudioVae& vae, Tensor rows, std::int64_t channels) {
  const std::int64_t latents = rows.shape[0] / channels, samples = latents * vae.hop_length();
  const Tensor sound = ctx.arena.take({channels, samples});
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const Arena::Scope scope(ctx.arena);
    const Tensor one = permute(ctx, rows.slice(channel * latents, latents), {1, 0});
    const Tensor wave = vae.decode(ctx, denormalise(ctx, one, vae.config().latents_mean, vae.config().latents_std));
    copy(ctx, wave.view({1, samples}), sound.slice(channel, 1));
  }
  return sound;
}

void to_unit_range(std::span<float> frames, std::int64_t picture) {
  const auto plane_size = static_cast<std::size_t>(picture);
  if (picture < 1 || frames.size() % (3 * plane_size) != 0)
    throw Error(ExitCode::internal, "pictures: " + std::to_string(frames.size()) + " values are no whole RGB frames");
  for (std::size_t plane = 0; plane * plane_size < frames.size(); ++plane) {
    const float mean = pixel_mean[plane % 3], std = pixel_std[plane % 3];
    for (float& value : frames.subspan(plane * plane_size, plane_size)) value = std::clamp(value * std + mean, 0.0F, 1.0F);
  }
}

float normalised_pixel(std::uint8_t value, std::size_t colour) {
  return (static_cast<float>(value) / 255.0F - pixel_mean[colour]) / pixel_std[colour];
}

Image to_image(std::span<const float> frame, std::int64_t height, std::int64_t width) {
  const auto picture = static_cast<std::size_t>(height * width);
  Image image{static_cast<int>(width), static_cast<int>(height), std::vector<std::uint8_t>(3 * picture)};
  for (std::size_t i = 0; i < picture; ++i) {
    for (std::size_t c = 0; c < 3; ++c) image.rgb[3 * i + c] = static_cast<std::uint8_t>(std::lrintf(frame[c * picture + i] * 255.0F));
  }
  return image;
}

}  // namespace fabula::h3
