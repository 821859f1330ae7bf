// Mixes a shot's voices with its other sounds along the plan's lines.
#include "audio/duck.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace fabula {
namespace {

constexpr double attack_s = 0.15, release_s = 0.4;

// Seconds on the shot's clock.
using Spans = std::vector<std::pair<double, double>>;

Spans spoken_in(const plan::Film& film, std::size_t index) {
  Spans spans;
  const int start = film.shots[index].start_ms;
  for (const plan::Shot& shot : film.shots) {  // a line may cross a cut
    for (const plan::Line& line : shot.dialogue) spans.emplace_back((line.start_ms - start) / 1000.0, (line.end_ms - start) / 1000.0);
  }
  return spans;
}

// 1 while somebody speaks, falling to 0 around it.
double speech_at(double t, const Spans& spans) {
  double most = 0.0;
  for (const auto& [start, end] : spans) most = std::max(most, std::min({1.0, 1.0 - (start - t) / attack_s, 1.0 - (t - end) / release_s}));
  return most;
}

}  // namespace

Sound ducked(const Sound& dialogue, const Sound& bed, const plan::Film& film, std::size_t shot, double depth_db) {
  Sound mix = dialogue;
  mix.samples.resize(std::max(dialogue.samples.size(), bed.samples.size()));
  const Spans spans = spoken_in(film, shot);
  const auto channels = static_cast<std::size_t>(bed.channels);
  for (std::size_t i = 0; i < bed.samples.size(); ++i) {
    const double t = static_cast<double>(i / channels) / bed.sample_rate;
    mix.samples[i] += bed.samples[i] * static_cast<float>(std::pow(10.0, -depth_db * speech_at(t, spans) / 20.0));
  }
  return mix;
}

}  // namespace fabula
