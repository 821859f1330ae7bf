// Measures a film, then plays it through one gain and the limiter.
#include "audio/master.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/limiter.h"
#include "audio/loudness.h"

namespace fabula {
namespace {

constexpr double close_enough_lu = 0.08;  // the meter resolves 0.1, and a film may be off by 0.3
constexpr int most_corrections = 6;

// LUFS of what `run` sends.
template <typename Run>
double measured(const Run& run) {
  LoudnessMeter meter(LoudnessMeter::Measures::loudness);
  run([&](std::span<const float> samples) { meter.add(samples); });
  return meter.integrated_lufs();
}

}  // namespace

void play_limited(const Playback& play, double gain_db, double ceiling_dbtp, const SampleReceiver& out) {
  const auto gain = static_cast<float>(std::pow(10.0, gain_db / 20.0));
  Limiter limiter(ceiling_dbtp);
  std::vector<float> louder, limited;
  const auto flush = [&] {
    if (!limited.empty()) out(limited);
    limited.clear();
  };
  play([&](std::span<const float> samples) {
    louder.assign(samples.begin(), samples.end());
    for (float& sample : louder) sample *= gain;
    limiter.process(louder, limited);
    flush();
  });
  limiter.finish(limited);
  flush();
}

Mastered master_sound(const Playback& play, const LoudnessTarget& target, const SampleReceiver& out) {
  const double before = measured(play);
  const bool is_silent = !std::isfinite(before);
  Mastered result{target.gain_db.value_or(is_silent ? 0.0 : std::min(target.lufs - before, most_gain_db)), before};
  // The limiter takes away some loudness, and the more the higher the gain: each round follows the slope of the last two.
  double lufs_per_db = 1.0, last_gain = 0.0, last_lufs = before;
  for (int i = 0; i < most_corrections && !is_silent && !target.gain_db; ++i) {
    const double after =
        measured([&](const SampleReceiver& receive) { play_limited(play, result.gain_db, target.true_peak_dbtp, receive); });
    if (std::abs(target.lufs - after) < close_enough_lu || !std::isfinite(after)) break;
    if (std::abs(result.gain_db - last_gain) > close_enough_lu)
      lufs_per_db = std::clamp((after - last_lufs) / (result.gain_db - last_gain), 0.25, 1.0);
    last_gain = result.gain_db;
    last_lufs = after;
    result.gain_db = std::min(result.gain_db + (target.lufs - after) / lufs_per_db, most_gain_db);
  }
  LoudnessMeter meter;
  play_limited(play, result.gain_db, target.true_peak_dbtp, [&](std::span<const float> samples) {
    meter.add(samples);
    out(samples);
  });
  result.lufs = meter.integrated_lufs();
  result.true_peak_dbtp = meter.true_peak_dbtp();
  result.gain_was_limited = result.gain_db >= most_gain_db && target.lufs - result.lufs > tolerance_lu;
  return result;
}

}  // namespace fabula
