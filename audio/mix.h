// From the shots' sounds to the film's: 48 kHz stereo, without holes or clicks at the cuts.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/clip_model.h"

namespace fabula {

inline constexpr int film_sample_rate = 48000;
inline constexpr int film_channels = 2;

/// Joins the sounds of a film's shots, in order. Mono goes to both sides at full level.
class ShotSounds {
 public:
  /// The next shot's part of the film: `count` sample frames at 48 kHz stereo, interleaved. The first shot fades in and the last one fades
  /// out over 5 ms. At a cut the two shots cross over 5 ms at equal power: what the previous shot has beyond its end sounds on (its last 5
  /// ms in reverse where it has nothing more), so the level holds. A sound that ends up to one latent (25 ms) before its picture is
  /// extended in reverse; a shorter one fades out and leaves silence. Throws Error(bad_data) for more than two channels or a rate outside 4
  /// to 192 kHz.
  [[nodiscard]] std::vector<float> next(const Sound& sound, std::int64_t count, bool is_last);

 private:
  bool is_first_ = true;
  std::vector<float> tail_;  // the previous shot beyond its end, interleaved; at most 5 ms
};

}  // namespace fabula
