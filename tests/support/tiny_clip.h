// A tiny clip of the golden transformer with 4 x 4 patches, for tests that evaluate it.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/ops.h"
#include "tests/support/random.h"
#include "video/h3/denoise.h"
#include "video/h3/dit.h"

namespace fabula::test {

/// Its transformer's folder.
inline std::filesystem::path tiny_transformer() { return std::filesystem::path(FABULA_SOURCE_DIR) / "tests/goldens/transformer_patch4"; }

/// Latent frames of 4 x 8, that is two patches each, and one channel of sound, at 12 frames a second.
inline h3::ClipGeometry tiny_geometry(std::int64_t frames, std::int64_t audio_latents) {
  h3::ClipGeometry clip;
  clip.frames = frames, clip.height = 4, clip.width = 8;
  clip.audio_latents = audio_latents;
  clip.audio_channels = 1;
  clip.patch = {1, 4, 4};
  clip.fps = 12;
  return clip;
}

/// Picture and sound on the host, one after the other.
inline std::vector<float> joined(Context& ctx, Tensor video, Tensor audio) {
  std::vector<float> all = to_host(ctx, video);
  const std::vector<float> sound = to_host(ctx, audio);
  all.insert(all.end(), sound.begin(), sound.end());
  return all;
}

/// A layout with random rows in it, of this process's seed.
struct TinyClip {
  TinyClip(std::int64_t frames, std::int64_t audio_latents, std::int64_t text_rows)
      : layout(
            h3::pack(tiny_geometry(frames, audio_latents), std::vector<std::int32_t>(static_cast<std::size_t>(text_rows), h3::text_tag))) {
    Random random{seed()};
    text = random.normals(text_rows * 48), video = random.normals(2 * frames * 96), audio = random.normals(audio_latents * 6);
  }

  /// The rows in the arena.
  [[nodiscard]] h3::ClipRows rows(Context& ctx) const {
    const auto of = [&](const std::vector<float>& values, std::int64_t width) {
      return constant(ctx, values, {static_cast<std::int64_t>(values.size()) / width, width});
    };
    return {of(text, 48), of(video, 96), of(audio, 6)};
  }

  /// Picture and sound of one evaluation.
  [[nodiscard]] std::vector<float> evaluated(Context& ctx, const h3::Dit& net, const h3::RowTimesteps& times) const {
    const h3::ClipRows in = rows(ctx);
    const h3::DitSequence sequence = h3::prepare(ctx, net, in.text, layout, times.distinct);
    const h3::DitOutput out = h3::forward(ctx, net, sequence, in.video, in.audio, times.index);
    return joined(ctx, out.video, out.audio);
  }

  h3::Layout layout;
  std::vector<float> text, video, audio;  ///< rows of 48, 96 and 6
};

}  // namespace fabula::test
