// Resamples shots, cuts them to length and crosses them over at the cuts.
#include "audio/mix.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "audio/resample.h"
#include "base/error.h"
#include "engine/score.h"

namespace fabula {
namespace {

constexpr std::int64_t fade_length = film_sample_rate / 200;  // 5 ms
// Latents of sound are whole, 40 a second: a shot's sound may end up to one of them before its picture.
constexpr std::int64_t one_latent = film_sample_rate / 40;
constexpr std::int64_t quiet_end = film_sample_rate * line_tail_ms / 1000;

void check(const Sound& sound) {
  if (sound.channels < 1 || sound.channels > 2) {
    throw Error(ExitCode::bad_data, "a sound of " + std::to_string(sound.channels) + " channels cannot be mixed: expected 1 or 2");
  }
  if (sound.sample_rate < 1000 || sound.sample_rate > 192000) {
    throw Error(ExitCode::bad_data, "a sound at " + std::to_string(sound.sample_rate) + " Hz cannot be mixed: expected 1000 to 192000");
  }
}

std::vector<float> channel(const Sound& sound, int index) {
  const auto channels = static_cast<std::size_t>(sound.channels);
  std::vector<float> samples(sound.samples.size() / channels);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = sound.samples[i * channels + static_cast<std::size_t>(index)];
  return samples;
}

// The first `frames` sample frames of a sound at 48 kHz stereo, interleaved; fewer where it is shorter.
std::vector<float> film_samples(const Sound& sound, std::int64_t frames) {
  std::vector<float> stereo, resampled;
  for (int c = 0; c < film_channels; ++c) {
    if (c < sound.channels) resampled = resample(channel(sound, c), sound.sample_rate, film_sample_rate);
    const auto available = static_cast<std::size_t>(std::min(frames, std::ssize(resampled)));
    stereo.resize(available * film_channels);
    for (std::size_t i = 0; i < available; ++i) stereo[i * film_channels + static_cast<std::size_t>(c)] = resampled[i];
  }
  return stereo;
}

std::int64_t frames_of(const std::vector<float>& stereo) { return std::ssize(stereo) / film_channels; }

// Raised cosine from 0 at sample frame `silent` towards 1 at `frames` sample frames from it, forwards (step 1) or backwards (−1).
void fade(std::vector<float>& stereo, std::int64_t silent, std::int64_t step, std::int64_t frames) {
  for (std::int64_t i = 0; i < frames; ++i) {
    const auto gain = static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * static_cast<double>(i) / static_cast<double>(frames)));
    for (std::int64_t c = 0; c < film_channels; ++c) stereo[static_cast<std::size_t>((silent + step * i) * film_channels + c)] *= gain;
  }
}

// Crosses from `before` to the start of `after` at equal power: two sounds that have nothing to do with each other keep their level.
void cross(const std::vector<float>& before, std::vector<float>& after) {
  const std::int64_t frames = std::min(frames_of(before), frames_of(after));
  for (std::int64_t i = 0; i < frames; ++i) {
    const double angle = std::numbers::pi / 2 * (static_cast<double>(i) + 0.5) / static_cast<double>(frames);
    const auto out = static_cast<float>(std::cos(angle)), in = static_cast<float>(std::sin(angle));
    for (std::int64_t c = 0; c < film_channels; ++c) {
      const auto at = static_cast<std::size_t>(i * film_channels + c);
      after[at] = out * before[at] + in * after[at];
    }
  }
}

// Extends a sound to `frames` sample frames with its end, played backwards, forwards, and so on: there is no step. It reaches back no
// further than planners keep silent at a shot's end (engine/score.h), so that no word is played.
void extend_to_and_fro(std::vector<float>& stereo, std::int64_t frames) {
  const std::int64_t length = frames_of(stereo), span = std::min(length, quiet_end);
  for (std::int64_t i = 0; span > 0 && length + i < frames; ++i) {
    const std::int64_t back = i / span % 2 == 0 ? i % span : span - 1 - i % span;
    for (std::int64_t c = 0; c < film_channels; ++c)
      stereo.push_back(stereo[static_cast<std::size_t>((length - 1 - back) * film_channels + c)]);
  }
}

}  // namespace

std::vector<float> ShotSounds::next(const Sound& sound, const SoundEdges& edges) {
  check(sound);
  const std::int64_t count = edges.count, whole = count + std::max(fade_length, edges.handle);
  std::vector<float> stereo = film_samples(sound, whole);
  if (count - frames_of(stereo) <= one_latent) extend_to_and_fro(stereo, whole);
  const std::int64_t filled = std::min(count, frames_of(stereo));
  stereo.resize(static_cast<std::size_t>(whole * film_channels), 0.0F);
  const auto cut = stereo.begin() + static_cast<std::ptrdiff_t>(count * film_channels);
  std::vector<float> tail(cut, stereo.end());
  stereo.erase(cut, stereo.end());

  const std::int64_t half = filled / 2, shortest = std::min(fade_length, half);
  if (edges.is_last || filled < count || edges.fade_out > 0)
    fade(stereo, filled - 1, -1, std::max(shortest, std::min(edges.fade_out, filled)));
  if (is_first_ || edges.fade_in > 0) fade(stereo, 0, 1, std::max(shortest, std::min(edges.fade_in, filled)));
  if (edges.fade_out > 0) tail.assign(tail.size(), 0.0F);
  if (!is_first_) cross(tail_, stereo);
  is_first_ = false;
  tail_ = std::move(tail);
  return stereo;
}

}  // namespace fabula
