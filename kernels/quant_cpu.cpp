// linear_i8: products of 16-bit and 8-bit integers, summed exactly. How the work is cut changes no result, so that a row is the same
// bytes however many rows and threads there are.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quant_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "kernels/families.h"
#include "kernels/pieces.h"
#include "kernels/quant.h"
#include "kernels/simd-inl.h"
#include "kernels/turn-inl.h"

#ifndef FABULA_I8_TILE
#define FABULA_I8_TILE
namespace fabula {
/// A tile of linear_i8: `x` and `x_scale` from its first row on, `weight` and `scale` from its first column on; `out`, whose rows lie
/// `stride` apart. Once for all instruction sets.
struct I8Tile {
  const std::int16_t* x;
  const float* x_scale;
  const std::int8_t* weight;
  const float* scale;
  std::int64_t height, width, k;
  float* out;
  std::int64_t stride;
};
}  // namespace fabula
#endif

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// Quantises row (k) and returns its scale; NaN for a row that is not finite.
float narrow(const float* row, std::int64_t k, std::int16_t* numbers) {
  const Floats d;
  Vec largest = all(0.0F), odd = all(0.0F);
  for (std::int64_t i = 0; i < k; i += lanes()) {
    const Vec value = load(row + i, k - i);
    largest = hn::Max(largest, hn::Abs(value));
    odd = hn::Add(odd, hn::Mul(value, all(0.0F)));  // zero, but NaN once a value is not finite
  }
  const float most = hn::GetLane(hn::MaxOfLanes(d, largest)), sum = sum_of(odd);
  const bool finite = sum == 0.0F;
  const Vec inverse = all(finite && most > 0.0F ? std::min(most_of_x / most, std::numeric_limits<float>::max()) : 0.0F);
  const hn::Rebind<std::int16_t, Floats> half;
  HWY_ALIGN std::int16_t tail[hn::MaxLanes(Floats())];
  for (std::int64_t i = 0; i < k; i += lanes()) {
    const Vec value = finite ? load(row + i, k - i) : all(0.0F);
    const auto rounded = hn::DemoteTo(half, hn::NearestInt(hn::Mul(value, inverse)));
    if (k - i >= lanes()) {
      hn::StoreU(rounded, half, numbers + i);
    } else {
      hn::Store(rounded, half, tail);
      std::memcpy(numbers + i, tail, static_cast<std::size_t>(k - i) * sizeof(std::int16_t));
    }
  }
  return finite ? most / most_of_x : std::numeric_limits<float>::quiet_NaN();
}

#if HWY_TARGET == HWY_SCALAR

template <int rows, int columns>
void sum_block(const std::int16_t* x, const std::int8_t* weight, std::int64_t k, std::int64_t (&total)[rows][columns]) {
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      total[row][column] = 0;
      for (std::int64_t i = 0; i < k; ++i) total[row][column] += std::int64_t{x[row * k + i]} * weight[column * k + i];
    }
  }
}

#else

using Words = hn::ScalableTag<std::int16_t>;
using Sums = hn::RepartitionToWide<Words>;
using Totals = hn::RepartitionToWide<Sums>;
using Bytes = hn::Rebind<std::int8_t, Words>;

HWY_INLINE std::int64_t exact_sum(hn::Vec<Sums> sums) {
  const Totals wide;
  return hn::GetLane(
      hn::SumOfLanes(wide, hn::Add(hn::PromoteTo(wide, hn::LowerHalf(sums)), hn::PromoteTo(wide, hn::UpperHalf(hn::Half<Sums>(), sums)))));
}

// How far ahead of a single stream weights are asked for: a processor's own prefetching stops at the end of a page.
constexpr std::int64_t bytes_ahead = 2048;

/// rows × columns sums at once, so that what is loaded is used more than once.
template <int rows, int columns>
HWY_INLINE void sum_block(const std::int16_t* x, const std::int8_t* weight, std::int64_t k, std::int64_t (&total)[rows][columns]) {
  const Words words;
  const Sums sums;
  const auto step = static_cast<std::int64_t>(hn::Lanes(words));
  constexpr std::int64_t steps = 256;  // a lane gains at most two products per step, of 127 · 32767 each, and holds 31 bits
  for (auto& row : total) std::fill(row, row + columns, 0);
  std::int64_t i = 0;
  while (i + step <= k) {
    hn::Vec<Sums> low[rows][columns], high[rows][columns];
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) low[row][column] = high[row][column] = hn::Zero(sums);
    }
    const std::int64_t end = std::min(k - step, i + (steps - 1) * step);
    for (; i <= end; i += step) {
      if constexpr (columns == 1) __builtin_prefetch(weight + i + bytes_ahead);
      hn::Vec<Words> w[columns];
      for (int column = 0; column < columns; ++column) w[column] = hn::PromoteTo(words, hn::LoadU(Bytes(), weight + column * k + i));
      for (int row = 0; row < rows; ++row) {
        const auto value = hn::LoadU(words, x + row * k + i);
        for (int column = 0; column < columns; ++column) {
          low[row][column] = hn::ReorderWidenMulAccumulate(sums, value, w[column], low[row][column], high[row][column]);
        }
      }
    }
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) total[row][column] += exact_sum(low[row][column]) + exact_sum(high[row][column]);
    }
  }
  for (; i < k; ++i) {
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) total[row][column] += std::int64_t{x[row * k + i]} * weight[column * k + i];
    }
  }
}

#endif  // HWY_SCALAR

template <int rows, int columns>
HWY_INLINE void write_block(const I8Tile& t, std::int64_t row, std::int64_t column) {
  std::int64_t total[rows][columns];
  sum_block<rows, columns>(t.x + row * t.k, t.weight + column * t.k, t.k, total);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      t.out[(row + i) * t.stride + column + j] = static_cast<float>(total[i][j]) * (t.x_scale[row + i] * t.scale[column + j]);
    }
  }
}

template <int rows, int columns>
void write_rows(const I8Tile& t, std::int64_t row) {
  std::int64_t column = 0;
  for (; column + columns <= t.width; column += columns) write_block<rows, columns>(t, row, column);
  for (; column < t.width; ++column) write_block<rows, 1>(t, row, column);
}

/// `columns` rows of the weight at once.
template <int columns>
void write_all_rows(const I8Tile& t) {
  std::int64_t row = 0;
  for (; row + 4 <= t.height; row += 4) write_rows<4, columns>(t, row);
  if (t.height - row == 3) write_rows<3, columns>(t, row);
  if (t.height - row == 2) write_rows<2, columns>(t, row);
  if (t.height - row == 1) write_rows<1, columns>(t, row);
}

#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
// Many rows: the weight is turned into panels, in which a vector holds two neighbouring k of some columns, as PMADDWD multiplies and adds
// them: twice as fast as float32.
constexpr std::int64_t panel_columns = 2 * hn::MaxLanes(Sums());
constexpr std::int64_t panel_depth = 512;  // a sum of 127 · 32767 · 512 fits into 31 bits
constexpr int panel_rows = HWY_TARGET <= HWY_AVX3 ? 12 : 6;
constexpr std::int64_t most_rows = 192;  // of a tile

/// Columns [0, columns) of a panel and k [begin, begin + depth), depth even; zero beyond.
void pack_panel(const std::int8_t* weight, std::int64_t k, std::int64_t columns, std::int64_t depth, std::int32_t* panel) {
  HWY_ALIGN std::int16_t wide[turned_rows * panel_depth];
  for (std::int64_t column = 0; column < panel_columns; column += turned_rows) {
    for (std::int64_t row = 0; row < turned_rows; ++row) {
      std::int16_t* to = wide + row * panel_depth;
      if (column + row < columns)
        std::copy_n(weight + (column + row) * k, depth, to);
      else
        std::fill_n(to, depth, std::int16_t{0});
    }
    turn(reinterpret_cast<const std::uint8_t*>(wide), sizeof(std::int16_t) * panel_depth, depth / 2,
         [&](std::int64_t pair, auto words)
             ALWAYS_INLINE { hn::Store(words, TurnedWords(), reinterpret_cast<std::uint32_t*>(panel) + pair * panel_columns + column); });
  }
}

/// sums (rows, panel_columns) = x (rows, depth), its rows k apart, times a panel.
template <int rows>
void sum_panel(const std::int16_t* x, std::int64_t k, const std::int32_t* panel, std::int64_t depth, std::int32_t* sums) {
  const Sums d;
  const Words words;
  constexpr std::int64_t half = panel_columns / 2;
  hn::Vec<Sums> left[rows], right[rows];
  [[maybe_unused]] auto none = hn::Zero(d);
  unrolled<rows>([&](int row) ALWAYS_INLINE { left[row] = right[row] = hn::Zero(d); });
  for (std::int64_t i = 0; i < depth; i += 2, panel += panel_columns) {
    const auto w_left = hn::BitCast(words, hn::LoadU(d, panel)), w_right = hn::BitCast(words, hn::LoadU(d, panel + half));
    unrolled<rows>([&](int row) ALWAYS_INLINE {
      std::int32_t pair;
      std::memcpy(&pair, x + row * k + i, sizeof pair);
      const auto value = hn::BitCast(words, hn::Set(d, pair));
      left[row] = hn::ReorderWidenMulAccumulate(d, value, w_left, left[row], none);
      right[row] = hn::ReorderWidenMulAccumulate(d, value, w_right, right[row], none);
    });
  }
  unrolled<rows>([&](int row) ALWAYS_INLINE {
    hn::StoreU(left[row], d, sums + row * panel_columns);
    hn::StoreU(right[row], d, sums + row * panel_columns + half);
  });
}

using SumPanel = void (*)(const std::int16_t*, std::int64_t, const std::int32_t*, std::int64_t, std::int32_t*);

template <int... rows>
constexpr std::array<SumPanel, panel_rows> by_rows(std::integer_sequence<int, rows...>) {
  return {sum_panel<rows + 1>...};
}

/// A tile of which k is even.
void write_panels(const I8Tile& t) {
  static constexpr auto sum = by_rows(std::make_integer_sequence<int, panel_rows>());
  HWY_ALIGN std::int32_t panel[panel_columns * panel_depth / 2];
  HWY_ALIGN std::int32_t sums[panel_rows * panel_columns];
  std::int64_t totals[most_rows * panel_columns];
  for (std::int64_t column = 0; column < t.width; column += panel_columns) {
    const std::int64_t columns = std::min(panel_columns, t.width - column);
    for (std::int64_t begin = 0; begin < t.k; begin += panel_depth) {
      const std::int64_t depth = std::min(panel_depth, t.k - begin);
      const bool is_last = begin + depth == t.k;
      pack_panel(t.weight + column * t.k + begin, t.k, columns, depth, panel);
      for (std::int64_t row = 0; row < t.height; row += panel_rows) {
        const std::int64_t rows = std::min<std::int64_t>(panel_rows, t.height - row);
        sum[static_cast<std::size_t>(rows - 1)](t.x + row * t.k + begin, t.k, panel, depth, sums);
        for (std::int64_t i = 0; i < rows; ++i) {
          std::int64_t* total = totals + (row + i) * panel_columns;
          const std::int32_t* part = sums + i * panel_columns;
          for (std::int64_t j = 0; j < panel_columns; ++j) total[j] = begin == 0 ? part[j] : total[j] + part[j];
          float* out = t.out + (row + i) * t.stride + column;
          const float* scale = t.scale + column;
          const float x_scale = t.x_scale[row + i];
          for (std::int64_t j = 0; is_last && j < columns; ++j) out[j] = static_cast<float>(total[j]) * (x_scale * scale[j]);
        }
      }
    }
  }
}
#endif

void write_tile(const I8Tile& t, const float* bias, Activation activation) {
  constexpr int columns = HWY_TARGET <= HWY_AVX3 ? 4 : 2;  // as many sums as there are registers for
  // A few rows wait for the weight to come from memory, which comes fastest in one stream.
  if (t.height <= 4) write_all_rows<1>(t);
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  else if (t.k % 2 == 0 && t.height <= most_rows)
    write_panels(t);
#endif
  else
    write_all_rows<columns>(t);
  if (bias != nullptr || activation != Activation::none) finish(t.out, t.stride, t.height, t.width, bias, activation, t.out, t.stride);
}

void scaled(const std::int8_t* from, std::int64_t count, float scale, float* to) {
  const Floats d;
  const hn::Rebind<std::int8_t, Floats> bytes;
  const hn::RebindToSigned<Floats> words;
  std::int64_t i = 0;
  for (; i + lanes() <= count; i += lanes())
    hn::StoreU(hn::Mul(all(scale), hn::ConvertTo(d, hn::PromoteTo(words, hn::LoadU(bytes, from + i)))), d, to + i);
  for (; i < count; ++i) to[i] = scale * static_cast<float>(from[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(narrow);
HWY_EXPORT(write_tile);
HWY_EXPORT(scaled);

void linear_i8(const Exec& exec, Tensor x, Tensor weight, Tensor scale, Tensor bias, Activation activation, Tensor scratch, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  if (rows == 0) return;
  const NarrowedRows narrowed = narrowed_rows(scratch, rows);
  in_pieces(exec, rows, rows_in_a_piece(k), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      narrowed.scale[row] = HWY_DYNAMIC_DISPATCH(narrow)(x.f32() + row * k, k, narrowed.numbers + row * k);
  });
  const bool one_tile = rows * n * k < least_shared_product;
  const std::int64_t tile_rows = one_tile ? rows : tile_size(rows, rows_per_tile, 4);
  const std::int64_t tile_columns = one_tile ? n : tile_size(n, columns_per_i8_tile, 4);
  const std::int64_t tiles_down = (rows + tile_rows - 1) / tile_rows, tiles_across = (n + tile_columns - 1) / tile_columns;
  in_pieces(exec, tiles_down * tiles_across, 1, [&](std::int64_t tile, std::int64_t) {
    const std::int64_t row = tile / tiles_across * tile_rows, column = tile % tiles_across * tile_columns;
    HWY_DYNAMIC_DISPATCH(write_tile)
    ({narrowed.numbers + row * k, narrowed.scale + row, weight.as<const std::int8_t>() + column * k, scale.f32() + column,
      std::min(tile_rows, rows - row), std::min(tile_columns, n - column), k, out.f32() + row * n + column, n},
     bias.absent() ? nullptr : bias.f32() + column, activation);
  });
}

void gather_rows_i8(const Exec& exec, Tensor table, Tensor scale, Tensor index, Tensor out) {
  const std::int64_t width = table.width();
  in_pieces(exec, index.elements(), rows_in_a_piece(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int32_t from = index.as<const std::int32_t>()[row];
      HWY_DYNAMIC_DISPATCH(scaled)(table.as<const std::int8_t>() + from * width, width, scale.f32()[from], out.f32() + row * width);
    }
  });
}

}  // namespace

void add_cpu_quant(Kernels& table) {
  table.linear_i8 = linear_i8;
  table.gather_rows_i8 = gather_rows_i8;
}

}  // namespace fabula
#endif  // HWY_ONCE
