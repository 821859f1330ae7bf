// Subtitles of a film, from the lines of its plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace fabula {

struct SubtitleLine {
  std::string speaker;  ///< a character's name; empty for a sound
  std::string text;
  bool operator==(const SubtitleLine&) const = default;
};

/// What is shown at one time: at most two lines, each as wide as its language allows (engine/film/subtitle_lines.h).
struct Cue {
  std::int64_t start_ms = 0, end_ms = 0;  ///< on the film's clock
  std::vector<SubtitleLine> lines;
  bool operator==(const Cue&) const = default;
};

struct SubtitleRules {
  static constexpr int least_ms = 833, most_ms = 7000;  ///< that a cue is shown; 5/6 s to 7 s
  static constexpr int gap_ms = 83;                     ///< between two cues, so that the change is seen: two frames at 24 a second
  static constexpr int most_lag_ms = 500;               ///< that a cue may begin after its line so that the one before can be read
  static constexpr int near_cut_ms = 500;               ///< a cue that lingers or ends this near to a cut ends with the shot
};

enum class SubtitleKind : std::uint8_t {
  lines,  ///< what is spoken
  sdh,    ///< for the deaf and hard of hearing: also sounds ("[thump]", from the shots' sfx, once a shot), and names where the speaker
          ///< changes or is not seen
};

struct Subtitles {
  std::vector<Cue> cues;     ///< sorted, without overlap
  std::size_t too_fast = 0;  ///< cues that are not shown long enough to be read: the plan leaves no time
};

/// A cue begins with its line (or up to most_lag_ms later) and stays until it can be read, as far as the next one and the film's end
/// allow. A long line becomes several cues; two people who speak at once share one.
[[nodiscard]] Subtitles subtitles_of(const plan::Film&, SubtitleKind);

/// SubRip: plain text in UTF-8. Its players take <> and {} as markup without an escape, so ‹› and () stand for them.
[[nodiscard]] std::string to_srt(const std::vector<Cue>&);
/// WebVTT: speakers as voice tags, &, < and > escaped.
[[nodiscard]] std::string to_vtt(const std::vector<Cue>&);
/// The lines of a cue as plain text, one below the other; two people who speak at once are marked with dashes.
[[nodiscard]] std::string plain_text(const Cue&);

}  // namespace fabula
