// What a published folder's clips are made from beside their text, and how long they are: plain data, and how the command line spells it.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace fabula::cli {

struct ClipChoice {
  std::string first_frame, last_frame;  ///< pictures; empty: none
  struct Reference {
    std::string kind, file;  ///< kind: image, audio or video
  };
  std::vector<Reference> references;  ///< in the order given, once keep_reference_order() has run
  int frames = 0;                     ///< of a clip; 0: as `seconds` says
  double seconds = 0.0;               ///< 0: the model's default
  std::string planner;                ///< own, lm or rules: the prompt is planned first; empty: it is filmed word for word
  std::string lm;                     ///< folder of the checkpoint that plans, for "lm"

  // As the command line gives them.
  std::vector<std::string> images, audios, videos;

  [[nodiscard]] bool has_media() const { return !first_frame.empty() || !last_frame.empty() || !references.empty(); }
  /// Whether anything was chosen that only a published folder takes.
  [[nodiscard]] bool any() const { return has_media() || frames > 0 || seconds > 0.0 || !planner.empty() || !lm.empty(); }
};

/// --first-frame, --last-frame, --ref-image, --ref-audio, --ref-video, --frames, --seconds, --planner and --lm.
void add_clip_options(CLI::App&, ClipChoice&);
/// References of different kinds in the order in which the command line has them: that is the order in which the model reads them.
void keep_reference_order(const CLI::App&, ClipChoice&);

}  // namespace fabula::cli
