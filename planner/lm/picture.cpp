// Qwen2VLImageProcessor: resizing as Pillow does, normalisation, patches.
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

// Newer checkpoints keep the settings under "image_processor" of one file for all inputs.
JsonFields image_settings(const fs::path& folder) {
  const fs::path own = folder / "preprocessor_config.json", joint = folder / "processor_config.json";
  return !fs::exists(own) && fs::exists(joint) ? JsonFields::open(joint).object("image_processor") : JsonFields::open(own);
}

// The taps of one output sample: weights with 22 fractional bits, for neighbours from `first` on.
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

constexpr int places = 22;

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

std::vector<Taps> taps_of(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), widened = std::max(scale, 1.0), support = 2.0 * widened;
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    Taps taps;
    taps.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - support + 0.5));
    const std::int64_t end = std::min(from, static_cast<std::int64_t>(centre + support + 0.5));
    std::vector<double> weights;
    double sum = 0.0;
    for (std::int64_t at = taps.first; at < end; ++at) {
      weights.push_back(cubic((static_cast<double>(at) - centre + 0.5) / widened));
      sum += weights.back();
    }
    for (const double weight : weights) taps.weights.push_back(static_cast<std::int32_t>(std::lround(weight / sum * (1 << places))));
    all.push_back(std::move(taps));
  }
  return all;
}

// One row or column: samples of three colours, `step` bytes apart.
void resample_line(const std::uint8_t* from, std::uint8_t* to, std::int64_t step, const std::vector<Taps>& all) {
  for (const Taps& taps : all) {
    for (int colour = 0; colour < 3; ++colour) {
      std::int64_t sum = 1 << (places - 1);
      const std::uint8_t* at = from + taps.first * step + colour;
      for (const std::int32_t weight : taps.weights) {
        sum += std::int64_t{weight} * *at;
        at += step;
      }
      to[colour] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> places, 0, 255));
    }
    to += step;
  }
}

}  // namespace

PictureConfig PictureConfig::open(const fs::path& folder) {
  const JsonFields fields = image_settings(folder);
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

PictureSize resized(const PictureConfig& config, PictureSize size) {
  const std::int64_t factor = config.patch * config.merge, longer = std::max(size.width, size.height),
                     shorter = std::min(size.width, size.height);
  if (shorter < 1 || static_cast<double>(longer) / static_cast<double>(shorter) > 200.0) {
    throw Error(ExitCode::bad_data, "a picture of " + std::to_string(size.width) + " × " + std::to_string(size.height) +
                                        " is too narrow: one side is over 200 times the other");
  }
  const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height), step = static_cast<double>(factor);
  const auto side = [&](double multiples) { return static_cast<std::int64_t>(multiples) * factor; };
  PictureSize result{side(std::nearbyint(width / step)), side(std::nearbyint(height / step))};
  if (result.width * result.height > config.most_pixels) {
    const double shrink = std::sqrt(height * width / static_cast<double>(config.most_pixels));
    result = {std::max(factor, side(std::floor(width / shrink / step))), std::max(factor, side(std::floor(height / shrink / step)))};
  } else if (result.width * result.height < config.fewest_pixels) {
    const double grow = std::sqrt(static_cast<double>(config.fewest_pixels) / (height * width));
    result = {side(std::ceil(width * grow / step)), side(std::ceil(height * grow / step))};
  }
  return result;
}

std::vector<std::uint8_t> resample_bicubic(const Picture& picture, PictureSize size) {
  std::vector<std::uint8_t> narrowed(static_cast<std::size_t>(3 * size.width * picture.height)),
      result(static_cast<std::size_t>(3 * size.width * size.height));
  const std::vector<Taps> across = taps_of(picture.width, size.width), down = taps_of(picture.height, size.height);
  for (std::int64_t row = 0; row < picture.height; ++row)
    resample_line(picture.rgb.data() + 3 * row * picture.width, narrowed.data() + 3 * row * size.width, 3, across);
  for (std::int64_t column = 0; column < size.width; ++column)
    resample_line(narrowed.data() + 3 * column, result.data() + 3 * column, 3 * size.width, down);
  return result;
}

Patches patches_of(const PictureConfig& config, const Picture& picture) {
  const PictureSize size = resized(config, {picture.width, picture.height});
  const std::vector<std::uint8_t> rgb = resample_bicubic(picture, size);
  Patches patches{.grid = {size.height / config.patch, size.width / config.patch}, .pixels = {}};
  patches.pixels.reserve(rgb.size() * static_cast<std::size_t>(config.temporal_patch));
  const auto rescale = static_cast<float>(config.rescale);
  // One patch: each colour, repeated for each frame of the patch. Patches are in blocks, in the order of cells_of().
  const auto add = [&](std::int64_t top, std::int64_t left) {
    for (std::size_t colour = 0; colour < 3; ++colour) {
      for (std::int64_t frame = 0; frame < config.temporal_patch; ++frame) {
        for (std::int64_t i = 0; i < config.patch * config.patch; ++i) {
          const std::int64_t at = (top + i / config.patch) * size.width + left + i % config.patch;
          const float value = static_cast<float>(rgb[static_cast<std::size_t>(3 * at) + colour]) * rescale;
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

}  // namespace fabula
