// Qwen2VLImageProcessor and Qwen3VLVideoProcessor: resizing, normalisation, patches.
#include "planner/lm/picture.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/json_fields.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

constexpr int bicubic = 3;  // Pillow's number for it
constexpr double largest_number = 1e6;

std::array<float, 3> colours(const JsonFields& fields, const char* key, double low) {
  const std::vector<float> values = fields.reals(key, 3, low, largest_number);
  return {values[0], values[1], values[2]};
}

// Reads `file`, or `key` of the one file that newer checkpoints keep for all inputs.
JsonFields settings(const fs::path& folder, const char* file, const char* key) {
  const fs::path own = folder / file, joint = folder / "processor_config.json";
  return !fs::exists(own) && fs::exists(joint) ? JsonFields::open(joint).object(key) : JsonFields::open(own);
}

PictureConfig read_settings(const JsonFields& fields) {
  for (const char* step : {"do_resize", "do_rescale", "do_normalize"}) {
    if (!fields.flag_or(step, true)) fields.refuse(std::string("\"") + step + "\" holds false, expected true");
  }
  (void)fields.integer_or("resample", bicubic, bicubic, bicubic);
  PictureConfig config;
  config.patch = fields.integer("patch_size", 1, 1 << 10);
  config.temporal_patch = fields.integer("temporal_patch_size", 1, 64);
  config.merge = fields.integer("merge_size", 1, 64);
  // Two spellings: size {shortest_edge, longest_edge}, which count pixels despite their names, and min_pixels, max_pixels.
  constexpr std::int64_t largest_picture = std::int64_t{1} << 32;
  const bool sized = fields.has("size") && fields.object("size").has("shortest_edge");
  const JsonFields limits = sized ? fields.object("size") : fields;
  config.fewest_pixels = limits.integer(sized ? "shortest_edge" : "min_pixels", 1, largest_picture);
  config.most_pixels = limits.integer(sized ? "longest_edge" : "max_pixels", config.fewest_pixels, largest_picture);
  if (fields.has("rescale_factor")) config.rescale = fields.real("rescale_factor", 0.0, largest_number);
  config.mean = colours(fields, "image_mean", -largest_number);
  config.deviation = colours(fields, "image_std", 1e-9);
  return config;
}

}  // namespace

PictureConfig PictureConfig::open(const fs::path& folder) {
  return read_settings(settings(folder, "preprocessor_config.json", "image_processor"));
}

PictureConfig PictureConfig::open_video(const fs::path& folder) {
  return read_settings(settings(folder, "video_preprocessor_config.json", "video_processor"));
}

namespace {

// smart_resize: `counted` frames of `size` keep within the limits; `rounded` of them are held against the limits.
PictureSize fitted(const PictureConfig& config, PictureSize size, double counted, double rounded) {
  const std::int64_t factor = config.patch * config.merge, longer = std::max(size.width, size.height),
                     shorter = std::min(size.width, size.height);
  if (shorter < 1 || static_cast<double>(longer) / static_cast<double>(shorter) > 200.0) {
    throw Error(ExitCode::bad_data, "a picture of " + std::to_string(size.width) + " × " + std::to_string(size.height) +
                                        " is too narrow: one side is over 200 times the other");
  }
  const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height), step = static_cast<double>(factor);
  const auto side = [&](double multiples) { return static_cast<std::int64_t>(multiples) * factor; };
  PictureSize result{side(std::nearbyint(width / step)), side(std::nearbyint(height / step))};
  const double pixels = rounded * static_cast<double>(result.width * result.height);
  if (pixels > static_cast<double>(config.most_pixels)) {
    const double shrink = std::sqrt(counted * height * width / static_cast<double>(config.most_pixels));
    result = {std::max(factor, side(std::floor(width / shrink / step))), std::max(factor, side(std::floor(height / shrink / step)))};
  } else if (pixels < static_cast<double>(config.fewest_pixels)) {
    const double grow = std::sqrt(static_cast<double>(config.fewest_pixels) / (counted * height * width));
    result = {side(std::ceil(width * grow / step)), side(std::ceil(height * grow / step))};
  }
  return result;
}

}  // namespace

PictureSize resized(const PictureConfig& config, PictureSize size) { return fitted(config, size, 1.0, 1.0); }

PictureSize resized_video(const PictureConfig& config, std::int64_t frames, PictureSize size) {
  if (frames < config.temporal_patch) throw Error(ExitCode::bad_data, "a video of " + std::to_string(frames) + " frames is too short");
  const auto factor = static_cast<double>(config.patch * config.merge), width = static_cast<double>(size.width),
             height = static_cast<double>(size.height);
  if (width < factor || height < factor) {
    const double scale = std::max(factor / height, factor / width);
    size = {static_cast<std::int64_t>(width * scale), static_cast<std::int64_t>(height * scale)};
  }
  const auto in_time = static_cast<double>(config.temporal_patch);
  return fitted(config, size, static_cast<double>(frames), std::nearbyint(static_cast<double>(frames) / in_time) * in_time);
}

Patches patches_of(const PictureConfig& config, std::span<const Image> frames, PictureSize size, FixedPoint arithmetic) {
  std::vector<Image> fitting;
  for (const Image& frame : frames) {
    fitting.push_back(
        resample_picture(frame, static_cast<int>(size.width), static_cast<int>(size.height), PictureFilter::bicubic, arithmetic));
  }
  Patches patches{.grid = {size.height / config.patch, size.width / config.patch}, .pixels = {}};
  patches.pixels.reserve(fitting.front().rgb.size() * static_cast<std::size_t>(config.temporal_patch));
  const auto rescale = static_cast<float>(config.rescale);
  // One patch: each colour, frame by frame. Patches are in blocks, in the order of cells_of().
  const auto add = [&](std::int64_t top, std::int64_t left) {
    for (std::size_t colour = 0; colour < 3; ++colour) {
      for (std::int64_t frame = 0; frame < config.temporal_patch; ++frame) {
        const Image& shown = fitting[std::min(static_cast<std::size_t>(frame), fitting.size() - 1)];
        for (std::int64_t i = 0; i < config.patch * config.patch; ++i) {
          const std::int64_t at = (top + i / config.patch) * size.width + left + i % config.patch;
          const float value = static_cast<float>(shown.rgb[static_cast<std::size_t>(3 * at) + colour]) * rescale;
          patches.pixels.push_back((value - config.mean[colour]) / config.deviation[colour]);
        }
      }
    }
  };
  const std::int64_t block = config.patch * config.merge;
  for (std::int64_t top = 0; top < size.height; top += block) {
    for (std::int64_t left = 0; left < size.width; left += block) {
      for (std::int64_t i = 0; i < config.merge * config.merge; ++i)
        add(top + i / config.merge * config.patch, left + i % config.merge * config.patch);
    }
  }
  return patches;
}

Patches patches_of(const PictureConfig& config, const Picture& picture) {
  const Image image{static_cast<int>(picture.width), static_cast<int>(picture.height), {picture.rgb.begin(), picture.rgb.end()}};
  return patches_of(config, std::span(&image, 1), resized(config, {picture.width, picture.height}), FixedPoint::pillow);
}

}  // namespace fabula
