// Measures a take and compares it with what its plan leads one to expect.
#include "engine/film/gate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace fabula {
namespace {

double brightness_of(const Image& image) {
  std::uint64_t red = 0, green = 0, blue = 0;
  for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    red += image.rgb[i];
    green += image.rgb[i + 1];
    blue += image.rgb[i + 2];
  }
  const double pixels = std::max(1.0, static_cast<double>(image.rgb.size()) / 3.0);
  return (0.2126 * static_cast<double>(red) + 0.7152 * static_cast<double>(green) + 0.0722 * static_cast<double>(blue)) / pixels;
}

double difference_of(const Image& a, const Image& b) {
  const std::size_t count = std::min(a.rgb.size(), b.rgb.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::uint64_t>(std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  return static_cast<double>(sum) / std::max(1.0, static_cast<double>(count));
}

void count_colours(const Image& image, std::array<std::uint64_t, 64>& counts) {
  for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3)
    ++counts[static_cast<std::size_t>((image.rgb[i] >> 6) * 16 + (image.rgb[i + 1] >> 6) * 4 + (image.rgb[i + 2] >> 6))];
}

void measure_sound(const Sound& sound, TakeMeasures& m) {
  constexpr float full_scale = 0.999F;
  double energy = 0.0;
  std::size_t clipped = 0;
  for (const float sample : sound.samples) {
    energy += double{sample} * sample;
    if (std::abs(sample) >= full_scale) ++clipped;
  }
  const double count = std::max(1.0, static_cast<double>(sound.samples.size()));
  m.level_dbfs = energy == 0.0 ? -std::numeric_limits<double>::infinity() : 10.0 * std::log10(energy / count);
  m.clipped = static_cast<double>(clipped) / count;
}

}  // namespace

TakeMeasures measures_of(const Take& take) {
  TakeMeasures m;
  std::array<std::uint64_t, 64> counts{};
  for (std::size_t i = 0; i < take.frames.size(); ++i) {
    m.brightness = std::max(m.brightness, brightness_of(take.frames[i]));
    if (i > 0) m.motion = std::max(m.motion, difference_of(take.frames[i - 1], take.frames[i]));
    count_colours(take.frames[i], counts);
  }
  double pixels = 0.0;
  for (const std::uint64_t count : counts) pixels += static_cast<double>(count);
  for (std::size_t i = 0; i < counts.size(); ++i) m.colours[i] = static_cast<double>(counts[i]) / std::max(1.0, pixels);
  measure_sound(take.sound, m);
  return m;
}

double colour_distance(const Colours& a, const Colours& b) {
  double common = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) common += std::min(a[i], b[i]);
  return 1.0 - common;
}

TakeExpected expected_of(const plan::Shot& shot, const Conditioning& conditioning) {
  return {.moves = !shot.action_beats.empty() || shot.camera.move != "static", .sounds = !conditioning.score_start.empty()};
}

std::string fault_of(const TakeMeasures& m, const TakeExpected& expected) {
  // Between what a broken take gives and what nano's films were seen to give (63 shots of 20 prompts with all actors, places and actions,
  // day and night, seed 0, 6 steps):
  //                         broken      seen                          limit
  //   brightness            0           58 (night) to 201             6
  //   motion                0           3.9 (somebody stands) to 21   0.2
  //   level, dBFS           -inf        -34 to -24                    -60
  //   clipped samples       up to 1     0                             0.01
  //   colour distance       up to 1     0.18 in one film, 0.26 among  0.6; three of four pairs of different places are farther apart
  //                                     films of one place
  constexpr double darkest = 6.0, stillest = 0.2, quietest_dbfs = -60.0, most_clipped = 0.01, farthest = 0.6;
  if (m.brightness < darkest) return "is black";
  if (expected.moves && m.motion < stillest) return "does not move";
  // Written so that a sound with a sample that is no number fails.
  if (expected.sounds && !(m.level_dbfs >= quietest_dbfs)) return "is silent";
  if (expected.sounds && m.clipped > most_clipped) return "has a clipped sound";
  if (expected.place != nullptr && colour_distance(m.colours, *expected.place) > farthest) return "does not have the colours of its place";
  return {};
}

}  // namespace fabula
