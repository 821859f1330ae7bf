// linear: oneDNN's products in tiles of our own, then bias and activation while a tile is still in the cache.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/gemm.h"
#include "kernels/multiply.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// To bf16, to the nearest, ties to even; as bits, so that every instruction set rounds alike.
void round_to_bf16(const float* from, std::int64_t count, std::uint16_t* to) {
  const Floats d;
  const hn::RebindToUnsigned<Floats> du;
  const hn::RebindToSigned<Floats> di;
  const hn::Rebind<std::uint16_t, Floats> narrow;
  HWY_ALIGN std::uint16_t tail[hn::MaxLanes(d)];
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const Vec value = load(from + i, count - i);
    const auto bits = hn::BitCast(du, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
    const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(du, 0x7FFFU)), odd));
    const auto kept_nan = hn::Or(hn::ShiftRight<16>(bits), hn::Set(du, 0x40U));
    const auto chosen = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(value)), kept_nan, rounded);
    const auto result = hn::DemoteTo(narrow, hn::BitCast(di, chosen));
    if (count - i >= lanes()) {
      hn::StoreU(result, narrow, to + i);
    } else {
      hn::Store(result, narrow, tail);
      std::memcpy(to + i, tail, static_cast<std::size_t>(count - i) * sizeof(std::uint16_t));
    }
  }
}

HWY_INLINE Vec widen(const std::uint16_t* from, std::int64_t left) {
  const hn::Rebind<std::uint16_t, Floats> narrow;
  const hn::RebindToUnsigned<Floats> du;
  const auto expand = [&](auto bits) { return hn::BitCast(Floats(), hn::ShiftLeft<16>(hn::PromoteTo(du, bits))); };
  if (HWY_LIKELY(left >= lanes())) return expand(hn::LoadU(narrow, from));
  HWY_ALIGN std::uint16_t padded[hn::MaxLanes(Floats())] = {};
  std::memcpy(padded, from, static_cast<std::size_t>(left) * sizeof(std::uint16_t));
  return expand(hn::Load(narrow, padded));
}

HWY_INLINE Vec widen(const float* from, std::int64_t left) { return load(from, left); }

/// out (rows, n) = x (rows, k) · weightᵀ (n, k) for a few rows: the weight is read once, at the speed of memory.
template <int rows, typename T>
void few_rows(const T* x, const T* weight, std::int64_t n, std::int64_t k, float* out, std::int64_t stride) {
  for (std::int64_t column = 0; column < n; ++column) {
    const T* w = weight + column * k;
    Vec even[rows], odd[rows];
    for (int row = 0; row < rows; ++row) even[row] = odd[row] = all(0.0F);
    std::int64_t i = 0;
    for (; i + 2 * lanes() <= k; i += 2 * lanes()) {
      const Vec w0 = widen(w + i, lanes()), w1 = widen(w + i + lanes(), lanes());
      for (int row = 0; row < rows; ++row) {
        even[row] = hn::MulAdd(widen(x + row * k + i, lanes()), w0, even[row]);
        odd[row] = hn::MulAdd(widen(x + row * k + i + lanes(), lanes()), w1, odd[row]);
      }
    }
    for (; i < k; i += lanes()) {
      const Vec w0 = widen(w + i, k - i);
      for (int row = 0; row < rows; ++row) even[row] = hn::MulAdd(widen(x + row * k + i, k - i), w0, even[row]);
    }
    for (int row = 0; row < rows; ++row) out[row * stride + column] = sum_of(hn::Add(even[row], odd[row]));
  }
}

template <typename T>
void at_most_four_rows(const T* x, std::int64_t rows, const T* weight, std::int64_t n, std::int64_t k, float* out, std::int64_t stride) {
  switch (rows) {
    case 1: return few_rows<1>(x, weight, n, k, out, stride);
    case 2: return few_rows<2>(x, weight, n, k, out, stride);
    case 3: return few_rows<3>(x, weight, n, k, out, stride);
    default: return few_rows<4>(x, weight, n, k, out, stride);
  }
}

void few_rows_f32(const float* x, std::int64_t rows, const float* weight, std::int64_t n, std::int64_t k, float* out, std::int64_t stride) {
  at_most_four_rows(x, rows, weight, n, k, out, stride);
}

void few_rows_bf16(const std::uint16_t* x, std::int64_t rows, const std::uint16_t* weight, std::int64_t n, std::int64_t k, float* out,
                   std::int64_t stride) {
  at_most_four_rows(x, rows, weight, n, k, out, stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(finish);
HWY_EXPORT(round_to_bf16);
HWY_EXPORT(few_rows_f32);
HWY_EXPORT(few_rows_bf16);

constexpr std::int64_t few = 4;  // rows that our own loops multiply

/// One tile: to (height, width), its rows n apart, from as many rows of x and of the weight, both of width k.
struct Tile {
  std::int64_t height, width, k, n;
  bool few_rows;  // decided by the whole product, so that all its tiles are summed alike
};

void product(const Tile& t, const float* x, const float* weight, float* to) {
  if (t.few_rows) {
    HWY_DYNAMIC_DISPATCH(few_rows_f32)(x, t.height, weight, t.width, t.k, to, t.n);
  } else {
    multiply({x, t.k}, {weight, t.k, true}, {to, t.n}, t.height, t.width, t.k, 1.0F, false);
  }
}

void product(const Tile& t, const std::uint16_t* x, const std::uint16_t* weight, float* to) {
  if (t.few_rows) {
    HWY_DYNAMIC_DISPATCH(few_rows_bf16)(x, t.height, weight, t.width, t.k, to, t.n);
  } else {
    multiply_bf16({x, t.k}, {weight, t.k, true}, {to, t.n}, t.height, t.width, t.k);
  }
}

void linear(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor scratch, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  if (rows == 0) return;
  const bool narrow = weight.dtype == DType::bf16;
  auto* rounded = scratch.as<std::uint16_t>();
  if (narrow) {
    in_pieces(exec, rows * k, 65536, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(round_to_bf16)(x.f32() + begin, end - begin, rounded + begin);
    });
  }
  const bool small = rows * n * k < 1 << 19;  // too small to share: one tile
  const std::int64_t tile_rows = small ? rows : tile_size(rows, 96, 1), tile_columns = small ? n : tile_size(n, rows <= few ? 128 : 512, 32);
  const std::int64_t tiles_down = (rows + tile_rows - 1) / tile_rows, tiles_across = (n + tile_columns - 1) / tile_columns;
  in_pieces(exec, tiles_down * tiles_across, 1, [&](std::int64_t tile, std::int64_t) {
    const std::int64_t row = tile / tiles_across * tile_rows, column = tile % tiles_across * tile_columns;
    const Tile t{std::min(tile_rows, rows - row), std::min(tile_columns, n - column), k, n, rows <= few};
    float* to = out.f32() + row * n + column;
    if (narrow) {
      product(t, rounded + row * k, weight.as<std::uint16_t>() + column * k, to);
    } else {
      product(t, x.f32() + row * k, weight.f32() + column * k, to);
    }
    if (!bias.absent() || activation != Activation::none) {
      HWY_DYNAMIC_DISPATCH(finish)(to, n, t.height, t.width, bias.absent() ? nullptr : bias.f32() + column, activation);
    }
  });
}

}  // namespace

void add_cpu_gemm(Kernels& table) { table.linear = linear; }

}  // namespace fabula
#endif  // HWY_ONCE
