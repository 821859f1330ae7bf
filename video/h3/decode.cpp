// Denormalised latents through the two decoders; pixels to 8 bits.
#include "video/h3/decode.h"

#include <algorithm>
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

std::vector<Image> images_of(Context& ctx, Tensor frames) {
  const Arena::Scope scope(ctx.arena);
  ColourRange range{};
  std::copy_n(pixel_std, 3, range.scale);
  std::copy_n(pixel_mean, 3, range.shift);
  const std::vector<std::uint8_t> bytes = bytes_to_host(ctx, rgb_bytes(ctx, frames, range));
  const auto width = static_cast<int>(frames.shape[3]), height = static_cast<int>(frames.shape[2]);
  const std::ptrdiff_t picture = std::ptrdiff_t{3} * width * height;
  std::vector<Image> images;
  for (auto at = bytes.begin(); at != bytes.end(); at += picture) images.push_back({width, height, {at, at + picture}});
  return images;
}

}  // namespace fabula::h3
