// From the shots' sounds to the film's: 48 kHz stereo, without holes or clicks at the cuts.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/clip_model.h"
#include "engine/film/film.h"

namespace fabula {

inline constexpr int film_sample_rate = 48000;
inline constexpr int film_channels = 2;

/// Joins the sounds of a film's shots, in order. Mono goes to both sides at full level.
class ShotSounds {
 public:
  /// The next shot's part of the film, interleaved. The first shot fades in and the last one fades out, over 5 ms at least. At a cut the
  /// two shots cross over 5 ms at equal power, at a longer transition over the handle: what the previous shot has beyond its end sounds on,
  /// and where it has nothing more its last 100 ms, to and fro, so the level holds and no word is heard twice. A sound that ends up to one
  /// latent (25 ms) before its picture is extended likewise; a shorter one fades out and leaves silence. Throws Error(bad_data) for more
  /// than two channels or a rate outside 4 to 192 kHz.
  [[nodiscard]] std::vector<float> next(const Sound& sound, const SoundEdges& edges);

 private:
  bool is_first_ = true;
  std::vector<float> tail_;  // the previous shot beyond its end, interleaved
};

}  // namespace fabula
