// Padding and cropping in whole pixels.
#include "video/io/framing.h"

#include <algorithm>
#include <cstdint>

#include "video/io/images.h"

namespace fabula {
namespace {

// value · numerator / denominator to the nearest multiple of `step`, at least one.
int scaled(int value, int numerator, int denominator, int step) {
  const std::int64_t divisor = std::int64_t{denominator} * step;
  return std::max(step, static_cast<int>((std::int64_t{value} * numerator + divisor / 2) / divisor) * step);
}

Rectangle centred(int width, int height, int within_width, int within_height, int step) {
  return {(within_width - width) / 2 / step * step, (within_height - height) / 2 / step * step, width, height};
}

void copy(const Image& from, Rectangle part, Image& to, int x, int y) {
  for (int row = 0; row < part.height; ++row) {
    const auto* begin = from.rgb.data() + 3 * (std::ptrdiff_t{part.y + row} * from.width + part.x);
    std::copy(begin, begin + std::ptrdiff_t{3} * part.width, to.rgb.data() + 3 * (std::ptrdiff_t{y + row} * to.width + x));
  }
}

Image black(int width, int height) {
  return {width, height, std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
}

}  // namespace

Framing framing_of(int source_width, int source_height, int width, int height, Fit fit) {
  Framing whole{{0, 0, source_width, source_height}, {0, 0, width, height}};
  const std::int64_t source_shape = std::int64_t{source_width} * height, shape = std::int64_t{width} * source_height;
  if (source_shape == shape) return whole;
  const bool is_wider = source_shape > shape;
  if (fit == Fit::crop) {
    whole.from = is_wider ? centred(scaled(source_height, width, height, 1), source_height, source_width, source_height, 1)
                          : centred(source_width, scaled(source_width, height, width, 1), source_width, source_height, 1);
  } else {
    whole.to = is_wider ? centred(width, std::min(height, scaled(width, source_height, source_width, 2)), width, height, 2)
                        : centred(std::min(width, scaled(height, source_width, source_height, 2)), height, width, height, 2);
  }
  return whole;
}

Image framed(const Image& image, int width, int height, Fit fit) {
  if (image.width == width && image.height == height) return image;
  const Framing framing = framing_of(image.width, image.height, width, height, fit);
  Image part = black(framing.from.width, framing.from.height);
  copy(image, framing.from, part, 0, 0);
  const Image scaled_part = resize(part, framing.to.width, framing.to.height);
  if (framing.to == Rectangle{0, 0, width, height}) return scaled_part;
  Image film = black(width, height);
  copy(scaled_part, {0, 0, scaled_part.width, scaled_part.height}, film, framing.to.x, framing.to.y);
  return film;
}

}  // namespace fabula
