// fabula.json: what a model bundle says about itself. Fields of one family alone are read in that family's folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fabula {

struct Bundle {
  std::filesystem::path folder;
  std::string name, version, license, family;
  int tap_layer = 0;  ///< hidden_states[tap_layer] of the planner conditions the transformer
  int fps = 12;       ///< the model's own frame rate
  int sample_rate = 16000;
  int audio_channels = 1;
  int width = 0, height = 0;     ///< native canvas
  std::vector<int> shot_frames;  ///< lengths the model can make
  int steps = 12;                ///< of the sampler, by default

  /// Throws Error: unavailable when the folder or fabula.json is missing, bad_data when it is malformed (naming the field).
  static Bundle open(const std::filesystem::path& folder);
};

/// The shape of a picture in least terms: "7:4" of 896 x 512.
[[nodiscard]] std::string aspect_of(int width, int height);

}  // namespace fabula
