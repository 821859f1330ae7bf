// Posteriors, noise and rows of what a clip is given.
#include "video/h3/given.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "engine/sample/schedule.h"
#include "video/h3/decode.h"
#include "video/h3/patches.h"

namespace fabula::h3 {
namespace {

Shape shape_of(const LatentTensor& latents) {
  const auto& s = latents.shape;
  return s.size() == 4 ? Shape{s[0], s[1], s[2], s[3]} : Shape{s[0], s[1]};
}

// Frames that whole chunks of a video's encoder take: fewer than there are, but one chunk at least.
std::size_t frames_encoded(const VaeConfig& config, std::size_t frames) {
  if (frames == 1) return 1;
  const auto count = static_cast<std::int64_t>(frames), kept = config.latents_per_clip();
  return static_cast<std::size_t>(std::max<std::int64_t>(1, (count - kept) / config.clip_length) * config.clip_length + kept);
}

// 8-bit pictures as the encoder takes them: (frames, 3, height, width), ImageNet-normalised.
Tensor pixels_of(Context& ctx, const std::vector<Image>& pictures, std::size_t frames) {
  const Image& first = pictures.front();
  const auto picture = static_cast<std::size_t>(first.width) * static_cast<std::size_t>(first.height);
  const Shape shape = {static_cast<std::int64_t>(frames), 3, first.height, first.width};
  return filled(ctx, shape, [&](std::span<float> to) {
    for (std::size_t f = 0; f < frames; ++f) {
      const Image& image = pictures.at(f);
      if (image.rgb.size() != 3 * picture) throw Error(ExitCode::internal, "encode_pictures: pictures of different sizes");
      for (std::size_t i = 0; i < picture; ++i) {
        for (std::size_t c = 0; c < 3; ++c) to[(3 * f + c) * picture + i] = normalised_pixel(image.rgb[3 * i + c], c);
      }
    }
  });
}

// DiagonalGaussianDistribution.sample of (mean, log variance), float32, then half precision, then the latents' own mean and deviation.
std::vector<float> drawn(const std::vector<float>& moments, const VaeConfig& config) {
  constexpr float lowest = -30.0F, highest = 20.0F;  // of the logarithm
  const std::size_t half = moments.size() / 2, plane = half / config.latents_mean.size();
  std::vector<float> latents(half);
  TorchGenerator(posterior_seed).normal(latents);
  for (std::size_t i = 0; i < half; ++i) {
    const float deviation = std::exp(0.5F * std::clamp(moments[half + i], lowest, highest));
    const float sample = rounded_to_half(moments[i] + deviation * latents[i]);
    latents[i] = (sample - config.latents_mean[i / plane]) / config.latents_std[i / plane];
  }
  return latents;
}

}  // namespace

float rounded_to_half(float value) {
  if (value == 0.0F || !std::isfinite(value)) return value;
  constexpr int significant = 11, smallest = -24;
  constexpr float largest = 65504.0F;
  int exponent = 0;
  (void)std::frexp(value, &exponent);
  const int step = std::max(exponent - significant, smallest);
  const float rounded = std::ldexp(std::nearbyint(std::ldexp(value, -step)), step);
  return std::abs(rounded) > largest ? std::copysign(INFINITY, value) : rounded;
}

LatentTensor encode_pictures(Context& ctx, const VideoVae& vae, const std::vector<Image>& pictures, const Tap& tap) {
  if (pictures.empty()) throw Error(ExitCode::internal, "encode_pictures: no picture");
  const Arena::Scope scope(ctx.arena);
  // Fewer frames than a chunk: the encoder repeats the last one.
  const std::size_t frames = std::min(pictures.size(), frames_encoded(vae.config, pictures.size()));
  const Tensor moments = encode(ctx, vae, pixels_of(ctx, pictures, frames), Tiling{});
  tap("condition_moments", moments);
  LatentTensor latents{{moments.shape[0] / 2, moments.shape[1], moments.shape[2], moments.shape[3]}, {}};
  const std::vector<float> values = to_host(ctx, moments);
  if (!values.empty()) latents.values = drawn(values, vae.config);
  return latents;
}

LatentTensor encode_sound(Context& ctx, const AudioVae& vae, const Sound& sound) {
  const auto channels = static_cast<std::size_t>(sound.channels), count = sound.samples.size() / channels,
             width = static_cast<std::size_t>(vae.latent_channels());
  LatentTensor rows{{0, vae.latent_channels()}, {}};
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const Arena::Scope scope(ctx.arena);
    const Tensor samples = filled(ctx, {static_cast<std::int64_t>(count)}, [&](std::span<float> to) {
      for (std::size_t i = 0; i < count; ++i) to[i] = sound.samples[i * channels + channel];
    });
    const Tensor mean = vae.encode(ctx, samples);
    rows.shape[0] += mean.shape[1];
    const std::vector<float> values = to_host(ctx, permute(ctx, mean, {1, 0}));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t c = i % width;
      rows.values.push_back((values[i] - vae.config().latents_mean[c]) / vae.config().latents_std[c]);
    }
  }
  return rows;
}

std::vector<GivenLatents> encode_given(const Machine& machine, const VideoVae& vae, const AudioVae& audio_vae, const GivenMedia& media,
                                       const Tap& tap) {
  using Kind = GivenLatents::Kind;
  std::vector<GivenLatents> all;
  std::size_t pictures = 0;
  const auto pictures_of = [&](const std::vector<Image>& images) {
    const Tap own = tap.numbered(pictures++);
    return run_sized(machine, [&](Context& ctx) { return encode_pictures(ctx, vae, images, own); });
  };
  if (media.first_frame) all.push_back({Kind::first_frame, pictures_of({*media.first_frame}), {}});
  if (media.last_frame) all.push_back({Kind::last_frame, pictures_of({*media.last_frame}), {}});
  for (const GivenReference& reference : media.references) {
    constexpr Kind kinds[] = {Kind::image, Kind::audio, Kind::video};
    GivenLatents given{.kind = kinds[static_cast<std::size_t>(reference.kind)]};
    if (!reference.pictures.empty()) given.video = pictures_of(reference.pictures);
    if (reference.has_sound())
      given.audio = run_sized(machine, [&](Context& ctx) { return encode_sound(ctx, audio_vae, reference.sound); });
    all.push_back(std::move(given));
  }
  return all;
}

Layout pack_given(const ClipGeometry& geometry, const Conditioning& conditioning) {
  using Kind = GivenLatents::Kind;
  std::vector<std::int32_t> tags = conditioning.tags;
  if (tags.empty()) tags.assign(static_cast<std::size_t>(conditioning.rows()), text_tag);
  if (static_cast<std::int64_t>(tags.size()) != conditioning.rows()) throw Error(ExitCode::internal, "pack: not one tag a text row");
  std::vector<Anchor> anchors;
  std::vector<LayoutReference> references;
  for (const GivenLatents& given : conditioning.given) {
    const auto& s = given.video.shape;
    if (given.kind == Kind::first_frame || given.kind == Kind::last_frame) {
      if (s.size() != 4 || s[1] != 1 || s[2] != geometry.height || s[3] != geometry.width)
        throw Error(ExitCode::bad_data, "a first or last frame was encoded for another canvas");
      anchors.push_back(given.kind == Kind::first_frame ? Anchor::first : Anchor::last);
      continue;
    }
    LayoutReference reference;
    reference.kind = given.kind == Kind::image   ? LayoutReference::Kind::image
                     : given.kind == Kind::audio ? LayoutReference::Kind::audio
                                                 : LayoutReference::Kind::video;
    if (s.size() == 4) reference.frames = s[1], reference.height = s[2], reference.width = s[3];
    if (!given.audio.shape.empty()) reference.audio_latents = given.audio.shape[0] / geometry.audio_channels;
    references.push_back(reference);
  }
  if (references.empty()) return pack(geometry, tags, anchors, conditioning.score_start);
  return pack(geometry, tags, references);
}

void write_given(Context& ctx, const ClipGeometry& geometry, const std::vector<GivenLatents>& all, float level, TorchGenerator& generator,
                 Tensor video, Tensor audio, const Tap& tap) {
  std::int64_t video_row = 0, audio_row = 0;
  std::size_t drawn_for = 0;
  for (const GivenLatents& given : all) {
    const Arena::Scope scope(ctx.arena);
    if (!given.video.shape.empty()) {
      const Shape shape = shape_of(given.video);
      ClipGeometry own = geometry;
      own.frames = shape[1], own.height = shape[2], own.width = shape[3];
      std::vector<float> noise(given.video.values.size()), mixed = given.video.values;
      generator.normal(noise);
      tap.numbered(drawn_for++)("condition_noise", constant(ctx, noise, shape));
      scale_noise(level, noise, mixed);
      const std::int64_t rows = own.frames * own.rows_per_frame();
      patchify(ctx, constant(ctx, mixed, shape), own, video.slice(video_row, rows));
      video_row += rows;
    }
    if (!given.audio.shape.empty()) {
      const Tensor rows = constant(ctx, given.audio.values, shape_of(given.audio));
      copy(ctx, rows, audio.slice(audio_row, rows.shape[0]));
      audio_row += rows.shape[0];
    }
  }
  if (video_row != video.shape[0] || audio_row != audio.shape[0]) throw Error(ExitCode::internal, "what is given does not fill its rows");
  if (video_row > 0) tap("condition_rows", video);
}

}  // namespace fabula::h3
