// Turns the pixels of a picture into the patches of a vision tower (transformers: Qwen2VLImageProcessor with Pillow's resampling).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/resample_picture.h"
#include "planner/lm/qwen3_vl_vision.h"

namespace fabula {

/// 8-bit RGB, row-major (height, width, 3).
struct Picture {
  std::int64_t width = 0, height = 0;
  std::span<const std::uint8_t> rgb;
};

struct PictureConfig {
  std::int64_t patch = 16, temporal_patch = 2, merge = 2;
  std::int64_t fewest_pixels = 0, most_pixels = 0;  ///< of the resized picture
  double rescale = 1.0 / 255.0;
  std::array<float, 3> mean{}, deviation{};

  /// Reads preprocessor_config.json, or "image_processor" of processor_config.json. Throws Error: input_missing, or bad_data for anything
  /// malformed and for any other kind of preprocessing.
  static PictureConfig open(const std::filesystem::path& folder);
  /// The same for videos: video_preprocessor_config.json, or "video_processor" of processor_config.json.
  static PictureConfig open_video(const std::filesystem::path& folder);
};

struct PictureSize {
  std::int64_t width = 0, height = 0;
  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

/// smart_resize: sides in multiples of patch · merge, about the picture's own aspect ratio, and a number of pixels within the limits.
/// Throws Error(bad_data) for an aspect ratio beyond 200.
[[nodiscard]] PictureSize resized(const PictureConfig&, PictureSize);

/// The same for the frames of a video (Qwen3VLVideoProcessor without a cap per frame): the limits count the pixels of all frames. Throws
/// Error(bad_data) as above, and for fewer frames than a patch has.
[[nodiscard]] PictureSize resized_video(const PictureConfig&, std::int64_t frames, PictureSize);

struct Patches {
  PatchGrid grid;
  std::vector<float> pixels;  ///< (grid.patches(), patch_width), as see() takes them
};

/// A still picture, resized with Pillow's bicubic.
[[nodiscard]] Patches patches_of(const PictureConfig&, const Picture&);
/// The frames of one patch in time, at most temporal_patch, of one size; the last one is repeated. Resized with `arithmetic`'s bicubic.
[[nodiscard]] Patches patches_of(const PictureConfig&, std::span<const Image> frames, PictureSize, FixedPoint arithmetic);

}  // namespace fabula
