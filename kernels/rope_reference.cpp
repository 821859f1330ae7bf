// rope, as `reference` defines it.
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

}  // namespace

void add_reference_rope(Kernels& table) { table.rope = rope; }

}  // namespace fabula
