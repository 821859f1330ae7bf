// From the pixels of one picture to the patches that a vision tower reads (transformers: Qwen2VLImageProcessor with Pillow's resampling).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

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

  /// preprocessor_config.json, or "image_processor" in processor_config.json. Throws Error: input_missing, or bad_data for what is
  /// malformed or asks for another way of reading a picture.
  static PictureConfig open(const std::filesystem::path& folder);
};

struct PictureSize {
  std::int64_t width = 0, height = 0;
  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

/// smart_resize: sides that are multiples of patch · merge, near the picture's own shape, and as many pixels as the limits say. Throws
/// Error(bad_data) for a side more than 200 times the other.
[[nodiscard]] PictureSize resized(const PictureConfig&, PictureSize);

/// Pillow's bicubic resampling (a = −0.5, widened where it shrinks), to the bit: across, rounded to 8 bits, then down.
[[nodiscard]] std::vector<std::uint8_t> resample_bicubic(const Picture&, PictureSize);

struct Patches {
  PatchGrid grid;
  std::vector<float> pixels;  ///< (grid.patches(), patch_width), as see() takes them
};

[[nodiscard]] Patches patches_of(const PictureConfig&, const Picture&);

}  // namespace fabula
