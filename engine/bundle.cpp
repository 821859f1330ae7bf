// fabula.json: the fields that every family shares, within limits.
#include "engine/bundle.h"

#include <numeric>

#include "base/error.h"
#include "base/json_fields.h"

namespace fabula {

Bundle Bundle::open(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "fabula.json";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    throw Error(ExitCode::unavailable, "there is no model bundle at " + folder.string() + " (it has no fabula.json)");
  const JsonFields fields = JsonFields::open(file);
  (void)fields.choice("format", {"fabula.bundle/1"});

  Bundle bundle;
  bundle.folder = folder;
  bundle.name = fields.text("name");
  bundle.version = fields.text("version");
  bundle.license = fields.text("license");
  bundle.family = fields.text("family");
  bundle.tap_layer = fields.integer<int>("tap_layer", 0, 1000);
  bundle.fps = fields.integer<int>("fps", 1, 240);
  bundle.sample_rate = fields.integer<int>("sample_rate", 8000, 192000);
  bundle.audio_channels = fields.integer<int>("audio_channels", 1, 2);
  const auto canvas = fields.integers<int>("canvas", 2, 2, 16, 8192);
  bundle.width = canvas[0];
  bundle.height = canvas[1];
  bundle.shot_frames = fields.integers<int>("shot_frames", 1, 1000, 1, 100000);
  bundle.steps = fields.integer<int>("steps", 1, 1000);
  return bundle;
}

std::string aspect_of(int width, int height) {
  const int common = std::gcd(width, height);
  return std::to_string(width / common) + ":" + std::to_string(height / common);
}

}  // namespace fabula
