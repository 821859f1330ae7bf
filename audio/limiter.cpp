// A look-ahead limiter: the gain falls before a peak and recovers behind it.
#include "audio/limiter.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "audio/mix.h"

namespace fabula {
namespace {

constexpr double release_seconds = 0.1;

// Hann-windowed sinc at `offset` behind the tap in the middle.
double interpolation_tap(std::size_t tap, std::size_t taps, double offset) {
  const double half = 0.5 * static_cast<double>(taps), t = static_cast<double>(tap) - (half - 1.0) - offset;
  const double x = std::numbers::pi * t, edge = t / half;
  if (t == 0.0) return 1.0;
  return std::sin(x) / x * (0.5 + 0.5 * std::cos(std::numbers::pi * edge));
}

}  // namespace

Limiter::Limiter(double ceiling_dbtp) : ceiling_(std::pow(10.0, ceiling_dbtp / 20.0)), held_sum_(static_cast<double>(window)), skip_(lag) {
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    for (std::size_t i = 0; i < taps; ++i) phases_[p][i] = interpolation_tap(i, taps, 0.25 * static_cast<double>(p + 1));
  }
  needed_.fill(1.0);
  held_.fill(1.0);
  double most = 1.0;  // the largest output of a phase for samples of magnitude 1
  for (const auto& phase : phases_) {
    most = std::max(most, std::accumulate(phase.begin(), phase.end(), 0.0, [](double sum, double tap) { return sum + std::abs(tap); }));
  }
  harmless_ = ceiling_ / most;
}

// The loudest that the signal gets at the sample in the middle of `recent_` and on the way to the next.
double Limiter::peak_around_centre() const {
  double peak = 0.0;
  for (std::size_t c = 0; c < film_channels; ++c) {
    const std::size_t oldest = (count_ + 1) % taps;
    peak = std::max(peak, std::abs(static_cast<double>(recent_[(oldest + taps / 2 - 1) % taps][c])));
    for (const auto& phase : phases_) {
      double sum = 0.0;
      for (std::size_t i = 0; i < taps; ++i) sum += phase[i] * static_cast<double>(recent_[(oldest + i) % taps][c]);
      peak = std::max(peak, std::abs(sum));
    }
  }
  return peak;
}

// Least gain of the last `window` sample frames, released slowly, then averaged over as many: at the frame `window` − 1 back it has
// fallen far enough, and nowhere does it jump.
double Limiter::smoothed(double needed) {
  const std::size_t slot = count_ % window;
  needed_[slot] = needed;
  since_limited_ = needed < 1.0 ? 0 : since_limited_ + 1;
  const double least = since_limited_ >= window ? 1.0 : *std::min_element(needed_.begin(), needed_.end());
  release_ = std::min(least, release_ + (1.0 - release_) / (release_seconds * film_sample_rate));
  held_sum_ += release_ - held_[slot];
  held_[slot] = release_;
  return std::min(1.0, held_sum_ / static_cast<double>(window));
}

void Limiter::push(float left, float right, std::vector<float>& out) {
  recent_[count_ % taps] = {left, right};
  delay_[count_ % delay_.size()] = {left, right};
  since_loud_ = std::max(std::abs(left), std::abs(right)) > harmless_ ? 0 : since_loud_ + 1;
  const double peak = since_loud_ >= taps ? 0.0 : peak_around_centre();
  const double gain = smoothed(peak > ceiling_ ? ceiling_ / peak : 1.0);
  const auto& delayed = delay_[(count_ + 1) % delay_.size()];
  ++count_;
  if (skip_ > 0) {
    --skip_;
    return;
  }
  for (const float sample : delayed) out.push_back(static_cast<float>(gain * static_cast<double>(sample)));
  ++emitted_;
}

void Limiter::process(std::span<const float> interleaved_stereo, std::vector<float>& out) {
  for (std::size_t i = 0; i + 1 < interleaved_stereo.size(); i += film_channels)
    push(interleaved_stereo[i], interleaved_stereo[i + 1], out);
}

void Limiter::finish(std::vector<float>& out) {
  const std::size_t total = count_;
  while (emitted_ < total) push(0.0F, 0.0F, out);
}

}  // namespace fabula
