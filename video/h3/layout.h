// The packed sequence: the modality of each row, and its position in (t, h, w).
// Reference: MiniMaxH3PrepareLayoutStep, MiniMaxH3Ref2VAPrepareLayoutStep, MiniMaxH3SetTimestepsStep (diffusers).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace fabula::h3 {

enum Tag : std::int32_t { video_tag = 0, text_tag = 1, audio_tag = 2 };

/// The rotary clock, which is also the rate of the audio latents.
inline constexpr double ticks_per_second = 40.0;

/// What is to be made. Sizes in latents.
struct ClipGeometry {
  std::int64_t frames = 0, height = 0, width = 0;
  std::int64_t audio_latents = 0;  ///< per channel
  int audio_channels = 2;
  std::array<std::int64_t, 3> patch = {1, 2, 2};  ///< t, h, w
  int fps = 24;                                   ///< of the pixel frames: one spans 40 / fps ticks

  [[nodiscard]] std::int64_t rows_per_frame() const { return (height / patch[1]) * (width / patch[2]); }
};

struct Layout {
  std::vector<double> positions;           ///< (rows, 3): t, h, w
  std::vector<std::int32_t> tags;          ///< (rows)
  std::vector<std::int32_t> video, audio;  ///< rows of each kind, the given ones first
  std::vector<std::int32_t> text;
  std::int64_t given_video_rows = 0;  ///< leading video rows that condition and are not made
  std::int64_t given_audio_rows = 0;

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(tags.size()); }
};

enum class Anchor : std::uint8_t { first, last };

/// [text | keyframes | audio | video] (t2va without anchors, fl2va with). text_tags: one a text row, as a rule text_tag. score_start: the
/// last score_start.size() text rows sound at these seconds of the clip, and take that rotary time instead of their row index; the media
/// clock starts where the other text rows end.
[[nodiscard]] Layout pack(const ClipGeometry&, std::span<const std::int32_t> text_tags, std::span<const Anchor> anchors = {},
                          std::span<const double> score_start = {});

/// A picture, a sound or a film that the clip follows. Sizes in latents.
struct LayoutReference {
  enum class Kind : std::uint8_t { image, audio, video } kind = Kind::image;
  std::int64_t frames = 0, height = 0, width = 0;
  std::int64_t audio_latents = 0;  ///< per channel; 0: silent
};

/// [text | references | audio | video] (ref2va).
[[nodiscard]] Layout pack(const ClipGeometry&, std::span<const std::int32_t> text_tags, std::span<const LayoutReference> references);

/// The shortest length of at least `frames` that the video autoencoder makes: chunk·n + kept (17n + 5).
[[nodiscard]] std::int64_t align_frames(std::int64_t frames, std::int64_t chunk = 17, std::int64_t kept = 5);
/// Latent frames of an aligned length: 5n + 2.
[[nodiscard]] std::int64_t latent_frames(std::int64_t aligned, std::int64_t chunk = 17, std::int64_t kept = 5);
/// Audio latents that cover the frames, rounded to nearest (ties to even).
[[nodiscard]] std::int64_t audio_latents(std::int64_t frames, double fps);

struct Canvas {
  std::int64_t height = 0, width = 0;
};
/// The canvas of an aspect ratio between 1:4 and 4:1: short edge as given, area at most max_pixels, both rounded to `multiple`.
/// Throws Error(usage) outside.
[[nodiscard]] Canvas resolve_canvas(double aspect_width, double aspect_height, std::int64_t multiple, double short_edge, double max_pixels);

}  // namespace fabula::h3
