// rope in vector loops, alone and after the norm of a head, one piece of rows per thread.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rope_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/families.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// All heads of one row: x (heads, dim), cos and sin (2 · half).
void rotate_row(float* x, std::int64_t heads, std::int64_t dim, std::int64_t half, const float* cos, const float* sin) {
  for (std::int64_t head = 0; head < heads; ++head, x += dim) {
    for (std::int64_t i = 0; i < half; i += lanes()) {
      const std::int64_t left = half - i;
      const Vec first = load(x + i, left), second = load(x + half + i, left);
      store(hn::NegMulAdd(second, load(sin + i, left), hn::Mul(first, load(cos + i, left))), x + i, left);
      store(hn::MulAdd(first, load(sin + half + i, left), hn::Mul(second, load(cos + half + i, left))), x + half + i, left);
    }
  }
}

/// The same after rms_norm of each head, whose values are then still in the cache. out may be x.
void norm_and_rotate_row(const float* x, std::int64_t heads, std::int64_t dim, const float* weight, float eps, std::int64_t half,
                         const float* cos, const float* sin, float* out) {
  for (std::int64_t head = 0; head < heads; ++head, x += dim, out += dim) {
    const auto factor = wide(inverse_root(squared_distance(x, dim, 0.0F), dim, eps));
    if (weight == nullptr)
      map(x, dim, out, [&](auto v) { return hn::Mul(v, factor); });
    else
      map(x, weight, dim, out, [&](auto v, auto w) { return hn::Mul(hn::Mul(v, factor), w); });
    rotate_row(out, 1, dim, half, cos, sin);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(rotate_row);
HWY_EXPORT(norm_and_rotate_row);

void rope(const Exec& exec, Tensor x, Tensor cos, Tensor sin) {
  const std::int64_t heads = x.shape[1], dim = x.shape[2], rotary = cos.width();
  in_pieces(exec, x.shape[0], rows_in_a_piece(heads * rotary), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(rotate_row)
      (x.f32() + row * heads * dim, heads, dim, rotary / 2, cos.f32() + row * rotary, sin.f32() + row * rotary);
    }
  });
}

void rms_norm_rope(const Exec& exec, Tensor x, Tensor weight, float eps, Tensor cos, Tensor sin, Tensor out) {
  const std::int64_t heads = x.shape[1], dim = x.shape[2], rotary = cos.width();
  in_pieces(exec, x.shape[0], rows_in_a_piece(heads * dim), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(norm_and_rotate_row)
      (x.f32() + row * heads * dim, heads, dim, weight.f32(), eps, rotary / 2, cos.f32() + row * rotary, sin.f32() + row * rotary,
       out.f32() + row * heads * dim);
    }
  });
}

}  // namespace

void add_cpu_rope(Kernels& table) {
  table.rope = rope;
  table.rms_norm_rope = rms_norm_rope;
}

}  // namespace fabula
#endif  // HWY_ONCE
