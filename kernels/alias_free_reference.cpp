// snake_beta_alias_free, as `reference` defines it.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/families.h"

namespace fabula {
namespace {

// BigVGAN's Activation1d (arXiv:2206.04658) with ratio 2 both ways.
void snake_beta_alias_free(const Exec&, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter, Tensor out) {
  const std::int64_t channels = x.shape[0], length = x.shape[1];
  const std::int64_t up_taps = up_filter.elements(), down_taps = down_filter.elements();
  const std::int64_t up_pad = up_taps / 2 - 1, up_crop = up_pad * 2 + (up_taps - 2) / 2;
  const std::int64_t down_pad = down_taps / 2 - (down_taps % 2 == 0 ? 1 : 0);
  std::vector<float> fine(static_cast<std::size_t>(2 * length));
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const float* from = x.f32() + channel * length;
    const float frequency = std::exp(alpha.f32()[channel]), magnitude = std::exp(beta.f32()[channel]) + 1e-9F;
    for (std::int64_t u = 0; u < 2 * length; ++u) {
      const std::int64_t at = u + up_crop;  // in the uncropped transposed convolution of the padded signal
      float sum = 0.0F;
      for (std::int64_t i = std::max<std::int64_t>(0, (at - up_taps + 2) / 2); 2 * i <= at; ++i) {
        sum += from[std::clamp<std::int64_t>(i - up_pad, 0, length - 1)] * up_filter.f32()[at - 2 * i];
      }
      const float value = 2.0F * sum, wave = std::sin(frequency * value);
      fine[static_cast<std::size_t>(u)] = value + wave * wave / magnitude;
    }
    for (std::int64_t o = 0; o < length; ++o) {
      float sum = 0.0F;
      for (std::int64_t tap = 0; tap < down_taps; ++tap) {
        sum += down_filter.f32()[tap] * fine[static_cast<std::size_t>(std::clamp<std::int64_t>(2 * o + tap - down_pad, 0, 2 * length - 1))];
      }
      out.f32()[channel * length + o] = sum;
    }
  }
}

}  // namespace

void add_reference_alias_free(Kernels& table) { table.snake_beta_alias_free = snake_beta_alias_free; }

}  // namespace fabula
