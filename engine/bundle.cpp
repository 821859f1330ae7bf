// Reads and bounds the fields that every family shares.
#include "engine/bundle.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace fabula {
namespace {

using nlohmann::json;

template <typename T>
T field(const json& object, const char* name, const std::filesystem::path& file) {
  try {
    return object.at(name).get<T>();
  } catch (const json::exception&) {
    throw Error(ExitCode::bad_data, file.string() + ": the field \"" + name + "\" is missing or of the wrong type");
  }
}

int within(int value, int low, int high, const char* name, const std::filesystem::path& file) {
  if (value >= low && value <= high) return value;
  throw Error(ExitCode::bad_data, file.string() + ": \"" + name + "\" is " + std::to_string(value) + ", expected " + std::to_string(low) +
                                      " to " + std::to_string(high));
}

}  // namespace

Bundle Bundle::open(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "fabula.json";
  std::ifstream in(file);
  if (!in) throw Error(ExitCode::unavailable, "no model bundle at " + folder.string() + " (fabula.json is not there)");
  json root = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) throw Error(ExitCode::bad_data, file.string() + " is not a JSON object");
  if (field<std::string>(root, "format", file) != "fabula.bundle/1")
    throw Error(ExitCode::bad_data, file.string() + ": unknown bundle format");

  Bundle bundle;
  bundle.folder = folder;
  bundle.name = field<std::string>(root, "name", file);
  bundle.version = field<std::string>(root, "version", file);
  bundle.license = field<std::string>(root, "license", file);
  bundle.family = field<std::string>(root, "family", file);
  bundle.tap_layer = within(field<int>(root, "tap_layer", file), 0, 1000, "tap_layer", file);
  bundle.fps = within(field<int>(root, "fps", file), 1, 240, "fps", file);
  bundle.sample_rate = within(field<int>(root, "sample_rate", file), 8000, 192000, "sample_rate", file);
  bundle.audio_channels = within(field<int>(root, "audio_channels", file), 1, 2, "audio_channels", file);
  const auto canvas = field<std::vector<int>>(root, "canvas", file);
  if (canvas.size() != 2) throw Error(ExitCode::bad_data, file.string() + ": \"canvas\" is not [width, height]");
  bundle.width = within(canvas[0], 16, 8192, "canvas", file);
  bundle.height = within(canvas[1], 16, 8192, "canvas", file);
  bundle.shot_frames = field<std::vector<int>>(root, "shot_frames", file);
  if (bundle.shot_frames.empty()) throw Error(ExitCode::bad_data, file.string() + ": \"shot_frames\" is empty");
  for (const int frames : bundle.shot_frames) within(frames, 1, 100000, "shot_frames", file);
  bundle.steps = within(field<int>(root, "steps", file), 1, 1000, "steps", file);
  return bundle;
}

}  // namespace fabula
