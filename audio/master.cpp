// Measures a film, then plays it through one gain and the limiter.
#include "audio/master.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/limiter.h"
#include "audio/loudness.h"

namespace fabula {
namespace {

constexpr double most_gain_db = 24.0;
constexpr double close_enough_lu = 0.15;  // the meter resolves 0.1
constexpr int most_corrections = 3;

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

// LUFS of what `run` sends.
template <typename Run>
double measured(const Run& run) {
  LoudnessMeter meter;
  run([&](std::span<const float> samples) { meter.add(samples); });
  return meter.integrated_lufs();
}

}  // namespace

double master_sound(const Playback& play, const LoudnessTarget& target, const SampleReceiver& out) {
  const double before = measured(play);
  double gain = std::isfinite(before) ? std::min(target.lufs - before, most_gain_db) : 0.0;
  // The limiter lowers the loudness a little; the gain is raised by as much, until that converges.
  for (int i = 0; i < most_corrections && std::isfinite(before); ++i) {
    const double after = measured([&](const SampleReceiver& receive) { play_limited(play, gain, target.true_peak_dbtp, receive); });
    if (std::abs(target.lufs - after) < close_enough_lu || !std::isfinite(after)) break;
    gain = std::min(gain + target.lufs - after, most_gain_db);
  }
  play_limited(play, gain, target.true_peak_dbtp, out);
  return gain;
}

}  // namespace fabula
