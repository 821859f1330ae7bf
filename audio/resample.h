// Sample-rate conversion by a windowed sinc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fabula {

/// One channel from `from` to `to` Hz, aligned in time (no delay), of ceil(n · to / from) samples; silence is assumed outside.
/// Kaiser window, 32 zero crossings per side: flat to within 0.01 dB below 0.9 of the lower Nyquist frequency, images and aliases below
/// −90 dB. Sums are in double, in a fixed order.
[[nodiscard]] std::vector<float> resample(std::span<const float> samples, int from, int to);

/// As torchaudio.transforms.Resample with its defaults: a sinc with six zero crossings per side, cos² window, cut off at 0.99 of the lower
/// Nyquist frequency; for models that were trained on its output. The filter is rounded to float32.
[[nodiscard]] std::vector<float> resample_as_torchaudio(std::span<const float> samples, int from, int to);

}  // namespace fabula
