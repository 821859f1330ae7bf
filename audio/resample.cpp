// Windowed-sinc resampling of one channel.
#include "audio/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.h"

namespace fabula {
namespace {

constexpr int zero_crossings = 32;          // of the sinc, on each side
constexpr double kaiser_beta = 9.6;         // about −95 dB in the stop band
constexpr double transition_middle = 0.95;  // of the lower Nyquist frequency: where the filter is at −6 dB

// Modified Bessel function of the first kind, order 0, by its power series.
double bessel_i0(double x) {
  double sum = 1.0, term = 1.0;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2.0 * k)) * (x / (2.0 * k));
    sum += term;
  }
  return sum;
}

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

// Polyphase filters: the output sample k · to/g + p lies between the same two input positions for every k, so it has filter p.
class PolyphaseFilter {
 public:
  PolyphaseFilter(std::int64_t up, std::int64_t down) : up_(up), down_(down) {
    const double cutoff =
        transition_middle * std::min(1.0, static_cast<double>(up) / static_cast<double>(down));  // 1 = the input's Nyquist
    half_ = static_cast<std::int64_t>(std::ceil(zero_crossings / cutoff));
    taps_.resize(static_cast<std::size_t>(up * width()));
    for (std::int64_t phase = 0; phase < up; ++phase) fill(phase, cutoff);
  }

  // Output sample `index` of the input.
  [[nodiscard]] double at(std::span<const float> input, std::int64_t index) const {
    const std::int64_t position = index * down_, centre = position / up_;
    const double* taps = taps_.data() + position % up_ * width();
    const std::int64_t first = centre - half_ + 1;
    const std::int64_t begin = std::max<std::int64_t>(first, 0), end = std::min<std::int64_t>(centre + half_ + 1, std::ssize(input));
    double sum = 0.0;
    for (std::int64_t i = begin; i < end; ++i) sum += taps[i - first] * static_cast<double>(input[static_cast<std::size_t>(i)]);
    return sum;
  }

 private:
  [[nodiscard]] std::int64_t width() const { return 2 * half_; }

  void fill(std::int64_t phase, double cutoff) {
    double* taps = taps_.data() + phase * width();
    const double offset = static_cast<double>(phase) / static_cast<double>(up_);
    double total = 0.0;
    for (std::int64_t i = 0; i < width(); ++i) {
      const double t = static_cast<double>(i - half_ + 1) - offset;
      const double edge = std::min(1.0, std::abs(t) / static_cast<double>(half_));
      taps[i] = sinc(cutoff * t) * bessel_i0(kaiser_beta * std::sqrt(1.0 - edge * edge));
      total += taps[i];
    }
    for (std::int64_t i = 0; i < width(); ++i) taps[i] /= total;  // unit gain for a constant, in every phase
  }

  std::int64_t up_, down_, half_ = 0;
  std::vector<double> taps_;  // (up, width)
};

}  // namespace

std::vector<float> resample(std::span<const float> samples, int from, int to) {
  if (from == to) return {samples.begin(), samples.end()};
  const std::int64_t common = std::gcd(from, to), up = to / common, down = from / common;
  const PolyphaseFilter filter(up, down);
  std::vector<float> out(static_cast<std::size_t>((std::ssize(samples) * up + down - 1) / down));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(filter.at(samples, static_cast<std::int64_t>(i)));
  return out;
}

namespace {

constexpr double torchaudio_zeros = 6.0, torchaudio_rolloff = 0.99;

// A polyphase filter: `phases` rows of 2·width + step taps, the samples of a row `step` apart.
struct Polyphase {
  std::int64_t step = 0, phases = 0, width = 0;
  std::vector<float> taps;

  [[nodiscard]] std::int64_t length() const { return 2 * width + step; }
};

// _get_sinc_resample_kernel
Polyphase torchaudio_filter(std::int64_t from, std::int64_t to) {
  const double cutoff = static_cast<double>(std::min(from, to)) * torchaudio_rolloff, step = static_cast<double>(from);
  Polyphase filter{.step = from, .phases = to, .width = static_cast<std::int64_t>(std::ceil(torchaudio_zeros * step / cutoff)), .taps = {}};
  for (std::int64_t phase = 0; phase < to; ++phase) {
    const double offset = static_cast<double>(static_cast<float>(-phase) / static_cast<float>(to));  // a float32 quotient in the reference
    for (std::int64_t i = 0; i < filter.length(); ++i) {
      double t = (offset + static_cast<double>(i - filter.width) / step) * cutoff;
      t = std::clamp(t, -torchaudio_zeros, torchaudio_zeros);
      const double window = std::cos(t * std::numbers::pi / torchaudio_zeros / 2.0), angle = t * std::numbers::pi;
      filter.taps.push_back(static_cast<float>((angle == 0.0 ? 1.0 : std::sin(angle) / angle) * window * window * cutoff / step));
    }
  }
  return filter;
}

}  // namespace

std::vector<float> resample_as_torchaudio(std::span<const float> samples, int from, int to) {
  if (from < 1 || to < 1) throw Error(ExitCode::internal, "resample_as_torchaudio: a rate below 1 Hz");
  if (from == to) return {samples.begin(), samples.end()};
  const std::int64_t common = std::gcd(from, to), count = static_cast<std::int64_t>(samples.size());
  const Polyphase filter = torchaudio_filter(from / common, to / common);
  const auto wanted = static_cast<std::size_t>(std::ceil(static_cast<double>(filter.phases * count) / static_cast<double>(filter.step)));
  std::vector<float> result;
  result.reserve(wanted);
  for (std::int64_t block = 0; result.size() < wanted; ++block) {
    for (std::int64_t phase = 0; phase < filter.phases && result.size() < wanted; ++phase) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < filter.length(); ++i) {
        const std::int64_t at = block * filter.step + i - filter.width;
        if (at >= 0 && at < count)
          sum += static_cast<double>(filter.taps[static_cast<std::size_t>(phase * filter.length() + i)] *
                                     samples[static_cast<std::size_t>(at)]);
      }
      result.push_back(static_cast<float>(sum));
    }
  }
  return result;
}

}  // namespace fabula
