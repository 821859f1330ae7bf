// A shot's sound in the film's format.
#include "audio/mix.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "audio/resample.h"
#include "base/error.h"

namespace fabula {
namespace {

constexpr std::int64_t fade_length = film_sample_rate / 200;  // 5 ms

void check(const Sound& sound) {
  if (sound.channels < 1 || sound.channels > 2) {
    throw Error(ExitCode::bad_data, "a sound of " + std::to_string(sound.channels) + " channels cannot be mixed: expected 1 or 2");
  }
  if (sound.sample_rate < 4000 || sound.sample_rate > 192000) {
    throw Error(ExitCode::bad_data, "a sound at " + std::to_string(sound.sample_rate) + " Hz cannot be mixed: expected 4000 to 192000");
  }
}

std::vector<float> channel(const Sound& sound, int index) {
  const auto channels = static_cast<std::size_t>(sound.channels);
  std::vector<float> samples(sound.samples.size() / channels);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = sound.samples[i * channels + static_cast<std::size_t>(index)];
  return samples;
}

// Raised cosine over the first `frames` sample frames, from 0 at their outermost ones towards 1.
void fade_ends(std::vector<float>& stereo, std::int64_t frames) {
  const std::int64_t length = std::min(fade_length, frames / 2);
  for (std::int64_t i = 0; i < length; ++i) {
    const auto gain = static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * static_cast<double>(i) / static_cast<double>(length)));
    for (std::int64_t c = 0; c < film_channels; ++c) {
      stereo[static_cast<std::size_t>(i * film_channels + c)] *= gain;
      stereo[static_cast<std::size_t>((frames - 1 - i) * film_channels + c)] *= gain;
    }
  }
}

}  // namespace

std::vector<float> conform_sound(const Sound& sound, std::int64_t count) {
  check(sound);
  std::vector<float> stereo(static_cast<std::size_t>(count * film_channels), 0.0F);
  std::vector<float> resampled;
  std::int64_t filled = 0;
  for (int c = 0; c < film_channels; ++c) {
    if (c < sound.channels) resampled = resample(channel(sound, c), sound.sample_rate, film_sample_rate);
    filled = std::min(count, std::ssize(resampled));
    for (std::int64_t i = 0; i < filled; ++i)
      stereo[static_cast<std::size_t>(i * film_channels + c)] = resampled[static_cast<std::size_t>(i)];
  }
  fade_ends(stereo, filled);
  return stereo;
}

}  // namespace fabula
