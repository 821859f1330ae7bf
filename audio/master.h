// The film's sound brought to its loudness.
#pragma once

#include <functional>
#include <optional>
#include <span>

namespace fabula {

struct LoudnessTarget {
  double lufs = -16.0;  ///< integrated, of the whole film
  double true_peak_dbtp = -1.0;
  std::optional<double> gain_db = {};  ///< instead of the one that leads to lufs
};

/// Where a film is to be heard, by the name on the command line; the first is the default.
struct LoudnessPreset {
  const char* name;
  LoudnessTarget target;
};
inline constexpr LoudnessPreset loudness_presets[] = {
    {"web", {-16.0, -1.0}}, {"ebu", {-23.0, -1.0}}, {"atsc", {-24.0, -2.0}}, {"youtube", {-14.0, -1.0}}};

using SampleReceiver = std::function<void(std::span<const float> interleaved_stereo)>;
/// Plays the film's sound (48 kHz stereo) from its beginning, in pieces of any size. Called several times; the same each time.
using Playback = std::function<void(const SampleReceiver&)>;

/// Plays the sound under a gain and a true-peak limiter.
void play_limited(const Playback& play, double gain_db, double ceiling_dbtp, const SampleReceiver& out);

/// What became of a film's sound.
struct Mastered {
  double gain_db = 0.0;
  double lufs = 0.0;              ///< integrated, of the result; −infinity for silence
  double true_peak_dbtp = 0.0;    ///< of the result; −infinity for digital silence
  bool gain_was_limited = false;  ///< the target needs more than most_gain_db
};

/// A film of near-silence stays one.
inline constexpr double most_gain_db = 24.0;
/// A film this near to its target has reached it.
inline constexpr double tolerance_lu = 0.3;

/// Sends the sound under one gain and a true-peak limiter to `out`, as many samples as are played. The gain is found by measuring the
/// limited sound up to six times; it is at most most_gain_db, and a silent film is left alone.
Mastered master_sound(const Playback& play, const LoudnessTarget& target, const SampleReceiver& out);

}  // namespace fabula
