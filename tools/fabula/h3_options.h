// What a published folder's clips are made from beside their text, and how long they are: plain data, and how the command line spells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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
  std::vector<Reference> references;         ///< in the order given, once keep_reference_order() has run
  int frames = 0;                            ///< of a clip; 0: as `seconds` says
  double seconds = 0.0;                      ///< 0: the model's default
  std::string planner;                       ///< own, lm or rules: the prompt is planned first; empty: it is filmed word for word
  std::string lm;                            ///< folder of the checkpoint that plans, for "lm"
  std::vector<std::string> loras;            ///< FILE or FILE:scale, in the order given
  std::string weights;                       ///< "int8": of the text encoder and the transformer; empty: as --precision says
  std::optional<double> shift, audio_shift;  ///< of the schedules; absent: the folder's own
  std::uint64_t memory = 0;                  ///< bytes that a phase may take; 0: what is free

  // As the command line gives them.
  std::vector<std::string> images, audios, videos;

  [[nodiscard]] bool has_media() const { return !first_frame.empty() || !last_frame.empty() || !references.empty(); }
  /// Whether anything was chosen that only a published folder takes.
  [[nodiscard]] bool any() const {
    return has_media() || frames > 0 || seconds > 0.0 || !planner.empty() || !lm.empty() || !loras.empty() || memory > 0;
  }
};

/// --first-frame, --last-frame, --ref-image, --ref-audio, --ref-video, --frames, --seconds, --planner, --lm, --lora, --weights, --shift,
/// --audio-shift and --memory.
void add_clip_options(CLI::App&, ClipChoice&);
/// "FILE" or "FILE:0.8": the file and the scale. Throws Error(usage) for another scale.
[[nodiscard]] std::pair<std::string, double> lora_of(const std::string& choice);
/// The files of --lora, in their order.
[[nodiscard]] std::vector<std::string> lora_files(const ClipChoice&);
/// References of different kinds in the order in which the command line has them: that is the order in which the model reads them.
void keep_reference_order(const CLI::App&, ClipChoice&);

}  // namespace fabula::cli
