// The film's sound brought to its loudness.
#pragma once

#include <functional>
#include <span>

namespace fabula {

struct LoudnessTarget {
  double lufs = -16.0;  ///< integrated, of the whole film
  double true_peak_dbtp = -1.0;
};

using SampleReceiver = std::function<void(std::span<const float> interleaved_stereo)>;
/// Plays the film's sound (48 kHz stereo) from its beginning, in pieces of any size. Called several times; the same each time.
using Playback = std::function<void(const SampleReceiver&)>;

/// What became of a film's sound.
struct Mastered {
  double gain_db = 0.0;
  double lufs = 0.0;              ///< integrated, of the result; −infinity for silence
  bool gain_was_limited = false;  ///< the target needs more than most_gain_db
};

/// A film of near-silence stays one.
inline constexpr double most_gain_db = 24.0;

/// Sends the sound under one gain and a true-peak limiter to `out`, as many samples as are played. The gain is found by measuring the
/// limited sound up to four times; it is at most most_gain_db, and a silent film is left alone.
Mastered master_sound(const Playback& play, const LoudnessTarget& target, const SampleReceiver& out);

}  // namespace fabula
