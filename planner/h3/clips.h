// A film as clips of lengths that MiniMax-H3 makes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace fabula::h3 {

constexpr int fps = 24;
/// Frames of a clip: 17n + 5 (the video autoencoder's chunks), between 5 and 15 seconds: align_num_frames and min_duration, max_duration of
/// diffusers' MiniMaxH3ModularPipeline. 124 frames are 5.167 s, 345 are 14.375 s.
constexpr int shortest_frames = 124, longest_frames = 345;
constexpr int longest_ms = longest_frames * 1000 / fps;

/// The least legal number of frames that covers `duration_ms` <= longest_ms.
[[nodiscard]] int legal_frames(int duration_ms);

/// A shot, or a part of one that is longer than a clip may be. [start_ms, end_ms) on the film's clock.
struct Piece {
  std::size_t shot = 0;
  int start_ms = 0, end_ms = 0;
};
using Pieces = std::vector<Piece>;  ///< of one clip; they follow each other

/// The film's clips in order: they tile [0, total_ms). A shot is split only if it is longer than a clip, then in even parts, moved (or made
/// one more) so that no line lies over a split, where that can be. Shots are grouped so that what is made and trimmed away is least, and
/// that no line and no "continue" lies under a border, if it can be avoided. Throws Error(bad_data) where the shots do not tile the film.
[[nodiscard]] std::vector<Pieces> clips_of(const plan::Film&);

/// What of a line is said in a piece. A line under several pieces is divided at words (at characters, in scripts without spaces) by the
/// time that each has.
struct Part {
  const plan::Line* line = nullptr;
  int start_ms = 0;        ///< on the film's clock, inside the piece
  std::string text;        ///< safe to stand in <d>; empty where only the sound of the last words is left
  bool goes_on = false;    ///< the line goes on in the next piece
  bool was_begun = false;  ///< it began in an earlier one
};

/// For each piece of each clip the parts of lines in it, by time. Put together, the parts of a line are its text.
[[nodiscard]] std::vector<std::vector<std::vector<Part>>> parts_of(const plan::Film&, const std::vector<Pieces>&);

}  // namespace fabula::h3
