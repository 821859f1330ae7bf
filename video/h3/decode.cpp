#include "video/h3/decode.h"

#include <algorithm>
#include <cmath>

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

void to_unit_range(Tensor frames) {
  if (frames.shape.rank() != 4 || frames.shape[1] != 3)
    throw Error(ExitCode::internal, "pictures: expected (frames, 3, height, width), got " + frames.shape.text());
  if (frames.data == nullptr) return;
  const std::int64_t picture = frames.shape[2] * frames.shape[3];
  for (std::int64_t plane = 0; plane < frames.shape[0] * 3; ++plane) {
    float* values = frames.f32() + plane * picture;
    const float mean = pixel_mean[plane % 3], std = pixel_std[plane % 3];
    std::transform(values, values + picture, values, [=](float v) { return std::clamp(v * std + mean, 0.0F, 1.0F); });
  }
}

Image to_image(Tensor frame) {
  const std::int64_t height = frame.shape[1], width = frame.shape[2], picture = height * width;
  Image image{static_cast<int>(width), static_cast<int>(height), std::vector<std::uint8_t>(static_cast<std::size_t>(3 * picture))};
  for (std::int64_t i = 0; i < picture; ++i) {
    for (std::int64_t c = 0; c < 3; ++c)
      image.rgb[static_cast<std::size_t>(3 * i + c)] = static_cast<std::uint8_t>(std::lrintf(frame.f32()[c * picture + i] * 255.0F));
  }
  return image;
}

}  // namespace fabula::h3
