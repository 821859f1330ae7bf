// Cuts a film into clips of lengths that MiniMax-H3 can make.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace fabula::h3 {

constexpr int fps = 24;
/// A clip has 17n + 5 frames (the video autoencoder's chunks) and lasts 5 to 15 seconds: align_num_frames, min_duration and max_duration of
/// diffusers' MiniMaxH3ModularPipeline. 124 frames are 5.167 s, 345 are 14.375 s.
constexpr int shortest_frames = 124, longest_frames = 345;
constexpr int longest_ms = longest_frames * 1000 / fps;

/// The smallest legal number of frames that covers `duration_ms` <= longest_ms.
[[nodiscard]] int legal_frames(int duration_ms);

/// A shot, or a part of one that is too long for a clip. [start_ms, end_ms) on the film's clock.
struct Piece {
  std::size_t shot = 0;
  int start_ms = 0, end_ms = 0;
};
using Pieces = std::vector<Piece>;  ///< of one clip, consecutive

/// The film's clips, which tile [0, total_ms). Only a shot longer than a clip is split, into even parts; splits move (or one is added) to
/// avoid cutting a line if possible. Shots are grouped to minimise trimmed footage and to avoid clip borders inside a line or a "continue".
/// Throws Error(bad_data) if the shots do not tile the film.
[[nodiscard]] std::vector<Pieces> clips_of(const plan::Film&);

/// The part of a line that is spoken in a piece. A line across several pieces is divided at words (at characters in scripts without
/// spaces), in proportion to their time.
struct Part {
  const plan::Line* line = nullptr;
  int start_ms = 0;        ///< on the film's clock, inside the piece
  std::string text;        ///< safe inside <d>; empty if only the sound of the last words remains
  bool goes_on = false;    ///< the line continues in the next piece
  bool was_begun = false;  ///< the line began in an earlier piece
};

/// The parts of lines in each piece of each clip, by time. The parts of a line join up to its text.
[[nodiscard]] std::vector<std::vector<std::vector<Part>>> parts_of(const plan::Film&, const std::vector<Pieces>&);

}  // namespace fabula::h3
