// Resampling of 8-bit pictures, equal to the last bit to what Pillow and torchvision make, which models were trained on.
#pragma once

#include <cstdint>

#include "engine/clip_model.h"

namespace fabula {

enum class PictureFilter : std::uint8_t { bicubic, lanczos };

/// Both round the filter's weights to fixed point and each of two passes to 8 bits. Pillow: 22 fractional bits. torchvision
/// (antialias=True, uint8 on the CPU): 16-bit weights with as many fractional bits as the largest one leaves.
enum class FixedPoint : std::uint8_t { pillow, torchvision };

/// The filter (bicubic: a = -0.5; Lanczos: three lobes) is widened where it shrinks. Throws Error(internal) for empty sizes.
[[nodiscard]] Image resample_picture(const Image&, int width, int height, PictureFilter, FixedPoint);

}  // namespace fabula
