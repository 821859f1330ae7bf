// A separable filter in fixed point, one pass an axis. References: Pillow's ImagingResample, PyTorch's upsample_bicubic2d_aa for uint8.
#include "engine/resample_picture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "base/error.h"

namespace fabula {
namespace {

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }
double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0; }

struct Filter {
  double (*at)(double);
  double support;
};
Filter filter_of(PictureFilter kind) { return kind == PictureFilter::bicubic ? Filter{bicubic, 2.0} : Filter{lanczos, 3.0}; }

// One output sample: weights for neighbours from `first` on, which add up to one.
struct Taps {
  int first = 0;
  std::vector<double> weights;
};

std::vector<Taps> taps_of(int from, int to, const Filter& filter) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), widened = std::max(scale, 1.0), narrowing = 1.0 / widened,
               support = filter.support * widened;
  std::vector<Taps> all;
  for (int i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    Taps taps{.first = std::max(0, static_cast<int>(centre - support + 0.5)), .weights = {}};
    const int end = std::min(from, static_cast<int>(centre + support + 0.5));
    double sum = 0.0;
    for (int at = taps.first; at < end; ++at) {
      taps.weights.push_back(filter.at((static_cast<double>(at) - centre + 0.5) * narrowing));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
    all.push_back(std::move(taps));
  }
  return all;
}

// The taps of one axis with integer weights of `places` fractional bits.
struct FixedTaps {
  struct One {
    int first = 0;
    std::vector<std::int32_t> weights;
  };
  int places = 0;
  std::vector<One> all;
};

int places_of(FixedPoint arithmetic, const std::vector<Taps>& all) {
  constexpr int most = 22;
  if (arithmetic == FixedPoint::pillow) return most;
  double largest = 0.0;
  for (const Taps& taps : all) largest = std::max(largest, *std::max_element(taps.weights.begin(), taps.weights.end()));
  int places = 0;
  while (places < most && static_cast<int>(0.5 + largest * static_cast<double>(1 << (places + 1))) < (1 << 15)) ++places;
  return places;
}

FixedTaps fixed_taps(int from, int to, PictureFilter kind, FixedPoint arithmetic) {
  const std::vector<Taps> exact = taps_of(from, to, filter_of(kind));
  FixedTaps fixed{.places = places_of(arithmetic, exact), .all = {}};
  for (const Taps& taps : exact) {
    FixedTaps::One one{.first = taps.first, .weights = {}};
    for (const double weight : taps.weights) {
      const double scaled = weight * static_cast<double>(1 << fixed.places);
      one.weights.push_back(static_cast<std::int32_t>(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5));
    }
    fixed.all.push_back(std::move(one));
  }
  return fixed;
}

// One row or column: samples of three colours, `step` bytes apart.
void resample_line(const std::uint8_t* from, std::uint8_t* to, std::ptrdiff_t step, const FixedTaps& taps) {
  for (const FixedTaps::One& one : taps.all) {
    for (int colour = 0; colour < 3; ++colour) {
      std::int64_t sum = std::int64_t{1} << (taps.places - 1);
      const std::uint8_t* at = from + one.first * step + colour;
      for (const std::int32_t weight : one.weights) {
        sum += std::int64_t{weight} * *at;
        at += step;
      }
      to[colour] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> taps.places, 0, 255));
    }
    to += step;
  }
}

Image sized(int width, int height) {
  return {width, height, std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
}

Image across(const Image& image, int width, PictureFilter filter, FixedPoint arithmetic) {
  const FixedTaps taps = fixed_taps(image.width, width, filter, arithmetic);
  Image result = sized(width, image.height);
  for (std::ptrdiff_t row = 0; row < image.height; ++row)
    resample_line(image.rgb.data() + 3 * row * image.width, result.rgb.data() + 3 * row * width, 3, taps);
  return result;
}

Image down(const Image& image, int height, PictureFilter filter, FixedPoint arithmetic) {
  const FixedTaps taps = fixed_taps(image.height, height, filter, arithmetic);
  Image result = sized(image.width, height);
  for (std::ptrdiff_t column = 0; column < image.width; ++column)
    resample_line(image.rgb.data() + 3 * column, result.rgb.data() + 3 * column, std::ptrdiff_t{3} * image.width, taps);
  return result;
}

}  // namespace

Image resample_picture(const Image& image, int width, int height, PictureFilter filter, FixedPoint arithmetic) {
  if (image.width < 1 || image.height < 1 || width < 1 || height < 1)
    throw Error(ExitCode::internal, "resample_picture: from " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                                        " to " + std::to_string(width) + " x " + std::to_string(height));
  return down(across(image, width, filter, arithmetic), height, filter, arithmetic);
}

}  // namespace fabula
