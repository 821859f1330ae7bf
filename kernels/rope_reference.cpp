// rope, alone and after the norm of a head, as `reference` defines them.
#include <cmath>

#include "kernels/families.h"

namespace fabula {
namespace {

void rope(const Exec&, Tensor x, Tensor cos, Tensor sin) {
  const std::int64_t rows = x.shape[0], heads = x.shape[1], dim = x.shape[2];
  const std::int64_t rotary = cos.width(), half = rotary / 2;
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* c = cos.f32() + row * rotary;
    const float* s = sin.f32() + row * rotary;
    for (std::int64_t head = 0; head < heads; ++head) {
      float* at = x.f32() + (row * heads + head) * dim;
      for (std::int64_t i = 0; i < half; ++i) {
        const float first = at[i], second = at[i + half];
        at[i] = first * c[i] - second * s[i];
        at[i + half] = second * c[i + half] + first * s[i + half];
      }
    }
  }
}

void rms_norm_rope(const Exec& exec, Tensor x, Tensor weight, float eps, Tensor cos, Tensor sin, Tensor out) {
  const std::int64_t dim = x.width();
  for (std::int64_t head = 0; head < x.rows(); ++head) {
    const float* from = x.f32() + head * dim;
    double squares = 0.0;
    for (std::int64_t i = 0; i < dim; ++i) squares += static_cast<double>(from[i]) * from[i];
    const auto factor = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(dim) + eps));
    for (std::int64_t i = 0; i < dim; ++i) out.f32()[head * dim + i] = from[i] * factor * (weight.absent() ? 1.0F : weight.f32()[i]);
  }
  rope(exec, out, cos, sin);
}

}  // namespace

void add_reference_rope(Kernels& table) {
  table.rope = rope;
  table.rms_norm_rope = rms_norm_rope;
}

}  // namespace fabula
