// Matrix products on the calling thread. A sum is added up in an order that depends on k alone, and a vector's lanes are columns of the
// result, so that a result has the same bytes with vectors of any width, for any number of rows and however a product is cut.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/multiply_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#if HWY_ARCH_X86
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/bf16.h"
#include "kernels/multiply.h"
#include "kernels/simd-inl.h"
#include "kernels/turn-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

// A panel is two vectors of columns of b, (k, panel_columns), zero where b has no more columns. With `registers` sums of a panel's rows at
// once everything stays in registers and more time goes into products than into loads.
using Lanes = hn::ScalableTag<float>;
constexpr std::int64_t panel_columns = 2 * hn::MaxLanes(Lanes());
constexpr int registers = HWY_TARGET <= HWY_AVX3 ? 12 : 6;
constexpr std::int64_t panel_depth = 384;   // of an AVX2 panel, 24 KiB: it stays in the first-level cache beside a block's rows
constexpr std::int64_t turned_depth = 128;  // where the rows lie transposed: the few of a block are then a line for each k
constexpr std::int64_t block_rows = 192;    // whose 288 KiB stay in the second-level cache

// How the products of a sum are added up.
struct InOrder {  // of k, each by a fused multiply-add
  static constexpr int rows = registers;
};
struct InTiles {  // of 32 k, as the tile instructions of AMX do (Intel SDM, TDPBF16PS): even and odd k apart, then their sum
  static constexpr int rows = registers / 2;
};
constexpr std::int64_t tile_depth = 32;

/// rows × panel_columns sums of a (rows, k), elements `down` and `across` apart, and a panel, from c on or from zero.
template <int rows>
HWY_INLINE void sum_block(InOrder, const float* a, std::int64_t down, std::int64_t across, Matrix<const float> panel, std::int64_t k,
                          Matrix<float> c, bool add) {
  const Lanes d;
  constexpr std::int64_t half = panel_columns / 2;
  hn::Vec<Lanes> left[rows], right[rows];
  unrolled<rows>([&](int row) ALWAYS_INLINE {
    left[row] = add ? hn::LoadU(d, c.data + row * c.stride) : hn::Zero(d);
    right[row] = add ? hn::LoadU(d, c.data + row * c.stride + half) : hn::Zero(d);
  });
  for (std::int64_t i = 0; i < k; ++i, panel.data += panel.stride, a += across) {
    const auto w_left = hn::LoadU(d, panel.data), w_right = hn::LoadU(d, panel.data + half);
    unrolled<rows>([&](int row) ALWAYS_INLINE {
      const auto x = hn::Set(d, a[row * down]);
      left[row] = hn::MulAdd(x, w_left, left[row]);
      right[row] = hn::MulAdd(x, w_right, right[row]);
    });
  }
  unrolled<rows>([&](int row) ALWAYS_INLINE {
    hn::StoreU(left[row], d, c.data + row * c.stride);
    hn::StoreU(right[row], d, c.data + row * c.stride + half);
  });
}

template <int rows>
HWY_INLINE void sum_block(InTiles, const float* a, std::int64_t down, std::int64_t across, Matrix<const float> panel, std::int64_t k,
                          Matrix<float> c, bool add) {
  const Lanes d;
  constexpr std::int64_t half = panel_columns / 2;
  for (std::int64_t begin = 0; begin < k; begin += tile_depth) {
    hn::Vec<Lanes> even_left[rows], even_right[rows], odd_left[rows], odd_right[rows];
    unrolled<rows>([&](int row) ALWAYS_INLINE { even_left[row] = even_right[row] = odd_left[row] = odd_right[row] = hn::Zero(d); });
    const auto add_products = [&](hn::Vec<Lanes>* left, hn::Vec<Lanes>* right) ALWAYS_INLINE {
      const auto w_left = hn::LoadU(d, panel.data), w_right = hn::LoadU(d, panel.data + half);
      unrolled<rows>([&](int row) ALWAYS_INLINE {
        const auto x = hn::Set(d, a[row * down]);
        left[row] = hn::MulAdd(x, w_left, left[row]);
        right[row] = hn::MulAdd(x, w_right, right[row]);
      });
      a += across;
      panel.data += panel.stride;
    };
    const std::int64_t end = std::min(k, begin + tile_depth);
    std::int64_t i = begin;
    for (; i + 2 <= end; i += 2) {
      add_products(even_left, even_right);
      add_products(odd_left, odd_right);
    }
    if (i < end) add_products(even_left, even_right);
    unrolled<rows>([&](int row) ALWAYS_INLINE {
      float* to = c.data + row * c.stride;
      const auto left = hn::Add(even_left[row], odd_left[row]), right = hn::Add(even_right[row], odd_right[row]);
      hn::StoreU(hn::Add(add ? hn::LoadU(d, to) : hn::Zero(d), left), d, to);
      hn::StoreU(hn::Add(add ? hn::LoadU(d, to + half) : hn::Zero(d), right), d, to + half);
    });
    add = true;
  }
}

using SumBlock = void (*)(const float*, std::int64_t, std::int64_t, Matrix<const float>, std::int64_t, Matrix<float>, bool);

template <typename Order, int rows>
void sum_rows(const float* a, std::int64_t down, std::int64_t across, Matrix<const float> panel, std::int64_t k, Matrix<float> c,
              bool add) {
  sum_block<rows>(Order(), a, down, across, panel, k, c, add);
}

/// sum_rows by its number of rows, from 1 on.
template <typename Order, int... rows>
constexpr std::array<SumBlock, Order::rows> by_rows(std::integer_sequence<int, rows...>) {
  return {sum_rows<Order, rows + 1>...};
}

/// c (m, columns) = a (m, k) · panel, or c += …
template <typename Order>
void sum_panel(Matrix<const float> a, std::int64_t m, Matrix<const float> panel, std::int64_t columns, std::int64_t k, Matrix<float> c,
               bool add) {
  static constexpr auto blocks = by_rows<Order>(std::make_integer_sequence<int, Order::rows>());
  const std::int64_t down = a.transposed ? 1 : a.stride, across = a.transposed ? a.stride : 1;
  HWY_ALIGN float edge[Order::rows * panel_columns];  // stands in for c where the panel is wider
  for (std::int64_t row = 0; row < m; row += Order::rows) {
    const std::int64_t rows = std::min<std::int64_t>(Order::rows, m - row);
    const SumBlock sum = blocks[static_cast<std::size_t>(rows - 1)];
    const float* from = a.data + row * down;
    float* to = c.data + row * c.stride;
    if (columns == panel_columns) {
      sum(from, down, across, panel, k, {to, c.stride}, add);
      continue;
    }
    for (std::int64_t r = 0; add && r < rows; ++r) std::copy_n(to + r * c.stride, columns, edge + r * panel_columns);
    sum(from, down, across, panel, k, {edge, panel_columns}, add);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(edge + r * panel_columns, columns, to + r * c.stride);
  }
}

HWY_INLINE float widened(float value) { return value; }
HWY_INLINE float widened(std::uint16_t value) { return from_bf16(value); }

#if HWY_MAX_BYTES >= 16
// Columns of b (k, n), which is stored as (n, k), that are turned together: a vector holds one k of all of them.
constexpr std::int64_t turned_columns = turned_rows;
using Turned = hn::FixedTag<float, turned_columns>;

/// Calls use(k, values of the columns) in the order of k.
template <typename Use>
HWY_INLINE void each_k(const float* b, std::int64_t stride, std::int64_t k, const Use& use) {
  turn(reinterpret_cast<const std::uint8_t*>(b), 4 * stride, k,
       [&](std::int64_t i, auto words) ALWAYS_INLINE { use(i, hn::BitCast(Turned(), words)); });
}

template <typename Use>
HWY_INLINE void each_k(const std::uint16_t* b, std::int64_t stride, std::int64_t k, const Use& use) {
  const TurnedWords d;
  turn(reinterpret_cast<const std::uint8_t*>(b), 2 * stride, k / 2, [&](std::int64_t i, auto words) ALWAYS_INLINE {  // of two k each
    use(2 * i, hn::BitCast(Turned(), hn::ShiftLeft<16>(words)));
    use(2 * i + 1, hn::BitCast(Turned(), hn::And(words, hn::Set(d, 0xFFFF0000U))));
  });
  if (k % 2 == 0) return;
  HWY_ALIGN float last[turned_columns];
  for (std::int64_t column = 0; column < turned_columns; ++column) last[column] = from_bf16(b[column * stride + k - 1]);
  use(k - 1, hn::Load(Turned(), last));
}

/// c (rows, turned_columns) = a (rows, k) · b: for a few rows a panel costs more than the products.
template <int rows>
void sum_turned(InOrder, Matrix<const float> a, const float* b, std::int64_t b_stride, std::int64_t k, Matrix<float> c) {
  hn::Vec<Turned> sums[rows];
  unrolled<rows>([&](int row) ALWAYS_INLINE { sums[row] = hn::Zero(Turned()); });
  each_k(b, b_stride, k, [&](std::int64_t i, auto w) ALWAYS_INLINE {
    unrolled<rows>([&](int row) ALWAYS_INLINE { sums[row] = hn::MulAdd(hn::Set(Turned(), a.data[row * a.stride + i]), w, sums[row]); });
  });
  unrolled<rows>([&](int row) ALWAYS_INLINE { hn::StoreU(sums[row], Turned(), c.data + row * c.stride); });
}

template <int rows>
void sum_turned(InTiles, Matrix<const float> a, const std::uint16_t* b, std::int64_t b_stride, std::int64_t k, Matrix<float> c) {
  hn::Vec<Turned> sums[rows];
  unrolled<rows>([&](int row) ALWAYS_INLINE { sums[row] = hn::Zero(Turned()); });
  for (std::int64_t begin = 0; begin < k; begin += tile_depth) {
    hn::Vec<Turned> apart[2][rows];  // even k, odd k
    unrolled<rows>([&](int row) ALWAYS_INLINE { apart[0][row] = apart[1][row] = hn::Zero(Turned()); });
    each_k(b + begin, b_stride, std::min(tile_depth, k - begin), [&](std::int64_t i, auto w) ALWAYS_INLINE {
      auto* part = apart[i % 2];
      unrolled<rows>([&](int row)
                         ALWAYS_INLINE { part[row] = hn::MulAdd(hn::Set(Turned(), a.data[row * a.stride + begin + i]), w, part[row]); });
    });
    unrolled<rows>([&](int row) ALWAYS_INLINE { sums[row] = hn::Add(sums[row], hn::Add(apart[0][row], apart[1][row])); });
  }
  unrolled<rows>([&](int row) ALWAYS_INLINE { hn::StoreU(sums[row], Turned(), c.data + row * c.stride); });
}

constexpr std::int64_t few_rows = 4;

/// c (m, n) = a (m, k) · b for at most few_rows rows, column by column. Returns how many columns it did.
template <typename Order, typename T>
std::int64_t multiply_few(Matrix<const float> a, Matrix<const T> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k) {
  std::int64_t column = 0;
  for (; column + turned_columns <= n; column += turned_columns) {
    const T* from = b.data + column * b.stride;
    const Matrix<float> to{c.data + column, c.stride};
    if (m == 1) sum_turned<1>(Order(), a, from, b.stride, k, to);
    if (m == 2) sum_turned<2>(Order(), a, from, b.stride, k, to);
    if (m == 3) sum_turned<3>(Order(), a, from, b.stride, k, to);
    if (m == 4) sum_turned<4>(Order(), a, from, b.stride, k, to);
  }
  return column;
}
#endif

/// The first `columns` columns of b (k, n), widened.
template <typename T>
void pack(Matrix<const T> b, std::int64_t columns, std::int64_t k, float* panel) {
  if constexpr (std::is_same_v<T, float>) {
    if (!b.transposed && columns == panel_columns) {  // a copy of a size that is known
      for (std::int64_t i = 0; i < k; ++i) std::copy_n(b.data + i * b.stride, panel_columns, panel + i * panel_columns);
      return;
    }
  }
  if (columns < panel_columns) std::fill_n(panel, k * panel_columns, 0.0F);
  std::int64_t column = 0;
#if HWY_MAX_BYTES >= 16
  for (; b.transposed && column + turned_columns <= columns; column += turned_columns) {
    each_k(b.data + column * b.stride, b.stride, k,
           [&](std::int64_t i, auto values) ALWAYS_INLINE { hn::Store(values, Turned(), panel + i * panel_columns + column); });
  }
#endif
  const std::int64_t down = b.transposed ? 1 : b.stride, across = b.transposed ? b.stride : 1;
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t at = column; at < columns; ++at) panel[i * panel_columns + at] = widened(b.data[i * down + at * across]);
  }
}

void round_rows(Matrix<const float> from, std::int64_t rows, std::int64_t width, Matrix<float> to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    map(from.data + row * from.stride, width, to.data + row * to.stride, [](auto value) { return nearest_bf16(value); });
  }
}

/// Rows of a (m, k), rounded to bf16, as tiles.
void tile_rows(Matrix<const float> a, std::int64_t m, std::int64_t k, std::uint32_t* tiles) {
  const Wide d;
  const hn::RebindToSigned<Wide> words;
  const hn::Rebind<std::uint16_t, Wide> narrow;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t deep = tiles_along(k), padded = words_in_tiles(m, k) / (deep * tile_side);
  for (std::int64_t row = 0; row < padded; ++row) {
    auto* to = reinterpret_cast<std::uint16_t*>(tiles + row / tile_side * deep * tile_words + row % tile_side * tile_side);
    for (std::int64_t i = 0; i < deep * tile_k; i += step) {
      const std::int64_t left = row < m ? k - i : 0;
      const auto rounded = left > 0 ? nearest_bf16(load(d, a.data + row * a.stride + i, left)) : hn::Zero(d);
      const auto upper = hn::ShiftRight<16>(hn::BitCast(hn::RebindToUnsigned<Wide>(), rounded));
      hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(words, upper)), narrow, to + i / tile_k * 2 * tile_words + i % tile_k);
    }
  }
}

/// Columns of b, which lie as rows (n, k), as tiles.
void tile_columns(Matrix<const std::uint16_t> b, std::int64_t n, std::int64_t k, std::uint32_t* tiles) {
  std::fill_n(tiles, words_in_tiles(n, k), 0U);
  const auto place = [&](std::int64_t column) { return tiles + column / tile_side * tiles_along(k) * tile_words + column % tile_side; };
  std::int64_t column = 0;
#if HWY_MAX_BYTES >= 16
  for (; column + turned_rows <= n; column += turned_rows) {
    turn(reinterpret_cast<const std::uint8_t*>(b.data + column * b.stride), 2 * b.stride, k / 2,
         [to = place(column)](std::int64_t pair, auto words) ALWAYS_INLINE { hn::StoreU(words, TurnedWords(), to + pair * tile_side); });
  }
#endif
  for (; column < n; ++column) {
    for (std::int64_t pair = 0; pair < k / 2; ++pair)
      std::memcpy(place(column) + pair * tile_side, b.data + column * b.stride + 2 * pair, 4);
  }
  for (column = 0; k % 2 == 1 && column < n; ++column) place(column)[k / 2 * tile_side] = b.data[column * b.stride + k - 1];
}

/// b (k, n), rounded to bf16, as tiles: two rows become one of pairs.
void tile_pairs(Matrix<const float> b, std::int64_t n, std::int64_t k, std::uint32_t* tiles) {
  const hn::RebindToUnsigned<Floats> words;
  const auto bits = [&](std::int64_t row, std::int64_t column) ALWAYS_INLINE {
    const std::int64_t left = row < k ? n - column : 0;
    return hn::BitCast(words, left > 0 ? nearest_bf16(load(b.data + row * b.stride + column, left)) : all(0.0F));
  };
  const std::int64_t deep = tiles_along(k), padded = words_in_tiles(n, k) / (deep * tile_side);
  for (std::int64_t pair = 0; pair < deep * tile_k / 2; ++pair) {
    for (std::int64_t column = 0; column < padded; column += lanes()) {
      const auto both = hn::Or(hn::ShiftRight<16>(bits(2 * pair, column)), bits(2 * pair + 1, column));
      hn::StoreU(both, words, tiles + (column / tile_side * deep * tile_side + pair) * tile_side + column % tile_side);
    }
  }
}

void transpose_tiles(std::uint32_t* tiles, std::int64_t words) {
  HWY_ALIGN std::uint32_t turned[tile_words];
  for (std::int64_t tile = 0; tile < words; tile += tile_words) {
    std::int64_t row = 0;
#if HWY_MAX_BYTES >= 16
    for (; row < tile_side; row += turned_rows) {
      turn(reinterpret_cast<const std::uint8_t*>(tiles + tile + row * tile_side), 4 * tile_side, tile_side,
           [&](std::int64_t i, auto column) ALWAYS_INLINE { hn::StoreU(column, TurnedWords(), turned + i * tile_side + row); });
    }
#endif
    for (; row < tile_side; ++row) {
      for (std::int64_t i = 0; i < tile_side; ++i) turned[i * tile_side + row] = tiles[tile + row * tile_side + i];
    }
    std::copy_n(turned, tile_words, tiles + tile);
  }
}

/// Whether a panel may be read where it lies: its rows do not fall on the same few sets of the first-level cache.
template <typename T>
bool lies_as_panel(Matrix<const T> b, std::int64_t columns) {
  constexpr std::int64_t floats_per_line = 16;
  return std::is_same_v<T, float> && !b.transposed && columns == panel_columns && b.stride / floats_per_line % 2 == 1;
}

template <typename T>
Matrix<const T> part(Matrix<const T> whole, std::int64_t row, std::int64_t column) {
  return {whole.data + (whole.transposed ? column * whole.stride + row : row * whole.stride + column), whole.stride, whole.transposed};
}

/// c (m, n) = a (m, k) · b (k, n), or c += …
template <typename Order, typename T>
void multiply_panels(Matrix<const float> a, Matrix<const T> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k, bool add) {
  std::int64_t begin = 0;
#if HWY_MAX_BYTES >= 16
  if constexpr (std::is_same_v<Order, InOrder> || !std::is_same_v<T, float>) {
    if (m <= few_rows && b.transposed && !a.transposed && !add) begin = multiply_few<Order>(a, b, c, m, n, k);
  }
#endif
  HWY_ALIGN float panel[panel_depth * panel_columns];
  const std::int64_t deepest = a.transposed ? turned_depth : panel_depth;
  for (std::int64_t row = 0; row < m; row += block_rows) {
    const std::int64_t rows = std::min(block_rows, m - row);
    for (std::int64_t i = 0; i < k; i += deepest) {
      const std::int64_t depth = std::min(deepest, k - i);
      for (std::int64_t column = begin; column < n; column += panel_columns) {
        const std::int64_t columns = std::min(panel_columns, n - column);
        const Matrix<const T> block = part(b, i, column);
        Matrix<const float> packed{panel, panel_columns};
        if (lies_as_panel(block, columns)) {
          if constexpr (std::is_same_v<T, float>) packed = block;
        } else {
          pack(block, columns, depth, panel);
        }
        sum_panel<Order>(part(a, row, i), rows, packed, columns, depth, {c.data + row * c.stride + column, c.stride}, add || i > 0);
      }
    }
  }
}

void multiply_f32(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k, bool add) {
  multiply_panels<InOrder>(a, b, c, m, n, k, add);
}

void multiply_in_tiles(Matrix<const float> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                       std::int64_t k) {
  multiply_panels<InTiles>(a, b, c, m, n, k, false);
}

void multiply_in_tile_order(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k,
                            bool add) {
  multiply_panels<InTiles>(a, b, c, m, n, k, add);
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_in_tiles);
HWY_EXPORT(multiply_in_tile_order);
HWY_EXPORT(round_rows);
HWY_EXPORT(tile_rows);
HWY_EXPORT(tile_columns);
HWY_EXPORT(tile_pairs);
HWY_EXPORT(transpose_tiles);

/// Inside this scope denormal operands and results are zeros.
class FlushedDenormals {
#if HWY_ARCH_X86
 public:
  FlushedDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | flush_results | flush_operands); }
  ~FlushedDenormals() { _mm_setcsr(before_); }
  FlushedDenormals(const FlushedDenormals&) = delete;
  FlushedDenormals& operator=(const FlushedDenormals&) = delete;

 private:
  static constexpr unsigned flush_results = 0x8000, flush_operands = 0x0040;  // FTZ and DAZ of MXCSR
  unsigned before_;
#endif
};

}  // namespace

void multiply(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k, bool add) {
  HWY_DYNAMIC_DISPATCH(multiply_f32)(a, b, c, m, n, k, add);
}

void multiply_bf16(Matrix<const float> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k) {
  [[maybe_unused]] const FlushedDenormals guard;
  HWY_DYNAMIC_DISPATCH(multiply_in_tiles)(a, b, c, m, n, k);
}

void multiply_rounded(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k,
                      bool add) {
  [[maybe_unused]] const FlushedDenormals guard;
  HWY_DYNAMIC_DISPATCH(multiply_in_tile_order)(a, b, c, m, n, k, add);
}

void round_to_bf16(Matrix<const float> from, std::int64_t rows, std::int64_t width, Matrix<float> to) {
  HWY_DYNAMIC_DISPATCH(round_rows)(from, rows, width, to);
}

void pack_rows(Matrix<const float> a, std::int64_t m, std::int64_t k, std::uint32_t* tiles) {
  HWY_DYNAMIC_DISPATCH(tile_rows)(a, m, k, tiles);
}

void pack_columns(Matrix<const std::uint16_t> b, std::int64_t n, std::int64_t k, std::uint32_t* tiles) {
  HWY_DYNAMIC_DISPATCH(tile_columns)(b, n, k, tiles);
}

void pack_columns(Matrix<const float> b, std::int64_t n, std::int64_t k, std::uint32_t* tiles) {
  HWY_DYNAMIC_DISPATCH(tile_pairs)(b, n, k, tiles);
}

void turn_tiles(std::uint32_t* tiles, std::int64_t words) { HWY_DYNAMIC_DISPATCH(transpose_tiles)(tiles, words); }

}  // namespace fabula
#endif  // HWY_ONCE
