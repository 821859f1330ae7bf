// A published MiniMax-H3 folder in diffusers' form: which part is where, and what its index says. Reference: MiniMaxH3ModularPipeline.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fabula::h3 {

/// What no file says.
constexpr int folder_fps = 24, folder_audio_channels = 2;
constexpr int default_frames = 124, default_points = 50;  ///< where a request names none; points count sigma 0
constexpr double shortest_seconds = 5.0, longest_seconds = 15.0;

struct H3Folder {
  std::filesystem::path root;
  std::filesystem::path text_encoder, tokenizer, processor, transformer, transformer_ref, vae, audio_vae, scheduler, audio_scheduler;
  double canvas_short_edge = 768.0, canvas_max_pixels = 768.0 * 1344.0, reference_image_short_edge = 2048.0;
  std::string made_with;  ///< "_diffusers_version"; empty: not said

  /// Whether the folder has a modular_model_index.json.
  static bool is_at(const std::filesystem::path& folder);
  /// Reads modular_model_index.json; the parts need not be there. Throws Error: unavailable without the file; bad_data for another
  /// pipeline, a part of another class, or a sub-folder outside the folder.
  static H3Folder open(const std::filesystem::path& folder);

  /// A part under the name that the index has for it, in the order in which parts are used.
  struct Part {
    const char* name;
    std::filesystem::path H3Folder::*folder;
    std::vector<const char*> files;  ///< that it must have
    bool has_weights;
  };
  static const std::vector<Part>& parts();
  /// Files that a film needs and that are not there, as paths below the folder. Of the two transformers one is enough.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// Whether a part's weights are there: one file, or an index with all of its shards.
  [[nodiscard]] static bool has_weights(const std::filesystem::path& part);
};

}  // namespace fabula::h3
