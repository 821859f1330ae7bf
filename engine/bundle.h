// fabula.json: what a model bundle says about itself.
#pragma once

#include <filesystem>
#include <map>
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
  int width = 0, height = 0;                  ///< native canvas
  std::vector<int> shot_frames;               ///< lengths the model can make
  int steps = 12;                             ///< evaluations by default
  bool predicts_x0 = false;                   ///< "prediction_type": "x0"; else "velocity"
  std::map<std::string, std::string> sha256;  ///< by relative path

  /// Throws Error: unavailable when the folder or fabula.json is missing, bad_data when it is malformed (naming the field).
  static Bundle open(const std::filesystem::path& folder);
};

}  // namespace fabula
