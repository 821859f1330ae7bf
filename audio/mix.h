// From a shot's sound to the film's: 48 kHz stereo.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/clip_model.h"

namespace fabula {

inline constexpr int film_sample_rate = 48000;
inline constexpr int film_channels = 2;

/// Resamples to 48 kHz stereo, cuts or fills with silence to exactly `count` sample frames, and fades both ends over 5 ms so that a cut
/// between two shots does not click. Interleaved. Mono goes to both sides at full level. Throws Error(bad_data) for more than two
/// channels or a rate outside 4 to 192 kHz.
[[nodiscard]] std::vector<float> conform_sound(const Sound& sound, std::int64_t count);

}  // namespace fabula
