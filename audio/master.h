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

/// Sends the sound under one gain and a true-peak limiter to `out`, as many samples as are played. The gain is found by measuring the
/// limited sound up to four times; it is at most +24 dB, so that a film of near-silence stays one, and a silent film is left alone.
/// Returns the gain in dB.
double master_sound(const Playback& play, const LoudnessTarget& target, const SampleReceiver& out);

}  // namespace fabula
