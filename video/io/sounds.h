// Reads sounds and films that a clip is given, whole, at their own rates.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/clip_model.h"

namespace fabula {

/// The first sound of any file that FFmpeg decodes, at its own rate and with its own channels; samples of integers become [-1, 1]. Throws
/// Error: input_missing, bad_data where there is none or it does not decode.
[[nodiscard]] Sound read_sound(const std::filesystem::path& file);

/// All frames of a film, their rate, and its sound, without samples where it has none.
struct WholeFilm {
  std::vector<Image> frames;
  double fps = 0.0;
  Sound sound;
};
/// Throws Error as read_film does, and Error(bad_data) for a film that does not say its rate.
[[nodiscard]] WholeFilm read_whole_film(const std::filesystem::path& file);

}  // namespace fabula
