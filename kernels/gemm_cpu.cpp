// linear: oneDNN's products in tiles of our own, then bias and activation while a tile is still in the cache.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/families.h"
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

/// A block of out = x · weightᵀ: rows × columns sums at once, so that what is loaded is used more than once. How the products of one sum
/// are added up depends on k alone.
template <int rows, int columns, typename T>
HWY_INLINE void sum_block(const T* x, const T* weight, std::int64_t k, float* out, std::int64_t stride) {
  Vec even[rows][columns], odd[rows][columns];
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) even[row][column] = odd[row][column] = all(0.0F);
  }
  std::int64_t i = 0;
  for (; i + 2 * lanes() <= k; i += 2 * lanes()) {
    Vec w0[columns], w1[columns];
    for (int column = 0; column < columns; ++column) {
      w0[column] = widen(weight + column * k + i, lanes());
      w1[column] = widen(weight + column * k + i + lanes(), lanes());
    }
    for (int row = 0; row < rows; ++row) {
      const Vec x0 = widen(x + row * k + i, lanes()), x1 = widen(x + row * k + i + lanes(), lanes());
      for (int column = 0; column < columns; ++column) {
        even[row][column] = hn::MulAdd(x0, w0[column], even[row][column]);
        odd[row][column] = hn::MulAdd(x1, w1[column], odd[row][column]);
      }
    }
  }
  for (; i < k; i += lanes()) {
    for (int column = 0; column < columns; ++column) {
      const Vec w = widen(weight + column * k + i, k - i);
      for (int row = 0; row < rows; ++row) even[row][column] = hn::MulAdd(widen(x + row * k + i, k - i), w, even[row][column]);
    }
  }
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) out[row * stride + column] = sum_of(hn::Add(even[row][column], odd[row][column]));
  }
}

template <int rows, int columns, typename T>
void sum_rows(const T* x, const T* weight, std::int64_t n, std::int64_t k, float* out, std::int64_t stride) {
  std::int64_t column = 0;
  for (; column + columns <= n; column += columns) sum_block<rows, columns>(x, weight + column * k, k, out + column, stride);
  for (; column < n; ++column) sum_block<rows, 1>(x, weight + column * k, k, out + column, stride);
}

/// out (rows, n) = x (rows, k) · weightᵀ (n, k) by our own loops. For a few rows the weight is read once, at the speed of memory; and at
/// any number of rows each row's result is the one it has alone.
template <typename T>
void row_by_row(const T* x, std::int64_t rows, const T* weight, std::int64_t n, std::int64_t k, float* out, std::int64_t stride) {
  constexpr int columns = HWY_TARGET <= HWY_AVX3 ? 2 : 1;  // as many sums as there are registers for
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4) sum_rows<4, columns>(x + row * k, weight, n, k, out + row * stride, stride);
  switch (rows - row) {
    case 3:
      return sum_rows<3, columns>(x + row * k, weight, n, k, out + row * stride, stride);
    case 2:
      return sum_rows<2, 2 * columns>(x + row * k, weight, n, k, out + row * stride, stride);
    case 1:
      return sum_rows<1, 4 * columns>(x + row * k, weight, n, k, out + row * stride, stride);
    default:
      return;
  }
}

void row_by_row_f32(const float* x, std::int64_t rows, const float* weight, std::int64_t n, std::int64_t k, float* out,
                    std::int64_t stride) {
  row_by_row(x, rows, weight, n, k, out, stride);
}

void row_by_row_bf16(const std::uint16_t* x, std::int64_t rows, const std::uint16_t* weight, std::int64_t n, std::int64_t k, float* out,
                     std::int64_t stride) {
  row_by_row(x, rows, weight, n, k, out, stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(finish);
HWY_EXPORT(round_to_bf16);
HWY_EXPORT(row_by_row_f32);
HWY_EXPORT(row_by_row_bf16);

constexpr std::int64_t own_loop_rows = 4;  // up to as many rows our own loops are the faster ones

/// One tile: to (height, width), its rows n apart, from as many rows of x and of the weight, both of width k.
struct Tile {
  std::int64_t height, width, k, n;
  bool row_by_row;  // decided by the whole product, so that all its tiles are summed alike
};

void product(const Tile& t, const float* x, const float* weight, float* to) {
  if (t.row_by_row) {
    HWY_DYNAMIC_DISPATCH(row_by_row_f32)(x, t.height, weight, t.width, t.k, to, t.n);
  } else {
    multiply({x, t.k}, {weight, t.k, true}, {to, t.n}, t.height, t.width, t.k, 1.0F, false);
  }
}

void product(const Tile& t, const std::uint16_t* x, const std::uint16_t* weight, float* to) {
  if (t.row_by_row) {
    HWY_DYNAMIC_DISPATCH(row_by_row_bf16)(x, t.height, weight, t.width, t.k, to, t.n);
  } else {
    multiply_bf16({x, t.k}, {weight, t.k, true}, {to, t.n}, t.height, t.width, t.k);
  }
}

void linear(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor scratch, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  if (rows == 0) return;
  const bool is_bf16 = weight.dtype == DType::bf16;
  auto* rounded = scratch.as<std::uint16_t>();
  if (is_bf16) {
    in_pieces(exec, rows * k, floats_per_rounding, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(round_to_bf16)(x.f32() + begin, end - begin, rounded + begin);
    });
  }
  const bool use_own_loops = exec.rows_alone || rows <= own_loop_rows;
  const bool one_tile = rows * n * k < least_shared_product;
  const std::int64_t tile_rows = one_tile ? rows : tile_size(rows, rows_per_tile, 1);
  const std::int64_t tile_columns = one_tile ? n : tile_size(n, use_own_loops ? columns_per_own_tile : columns_per_tile, 32);
  const std::int64_t tiles_down = (rows + tile_rows - 1) / tile_rows, tiles_across = (n + tile_columns - 1) / tile_columns;
  in_pieces(exec, tiles_down * tiles_across, 1, [&](std::int64_t tile, std::int64_t) {
    const std::int64_t row = tile / tiles_across * tile_rows, column = tile % tiles_across * tile_columns;
    const Tile t{std::min(tile_rows, rows - row), std::min(tile_columns, n - column), k, n, use_own_loops};
    float* to = out.f32() + row * n + column;
    if (is_bf16) {
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
