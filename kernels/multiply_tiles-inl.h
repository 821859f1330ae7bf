// The product of multiply_by_tiles, over tile instructions that the includer names: AMX's own, or an emulation in a test.
//
// FABULA_TILE_LOAD(t, base, stride), FABULA_TILE_STREAM (a load that should not stay in the first cache), FABULA_TILE_STORE(t, base,
// stride), FABULA_TILE_ZERO(t), FABULA_TILE_PRODUCTS(sum, a, b): tiles 0 to 7 of 16 rows of 64 bytes. They are macros because the
// instructions want their tiles' numbers as literals. FABULA_TILE_TARGET: an attribute.
#include <algorithm>
#include <cstdint>

#include "kernels/multiply.h"

namespace fabula {
namespace FABULA_TILE_NAMESPACE {

// Two columns of tiles for so many k are 24 KiB: they stay in a first-level cache of 48 KiB while the rows stream past.
constexpr std::int64_t most_k = 384;
constexpr std::int64_t row_bytes = 64;

// 32 × 32 sums of two rows of tiles, `a_deep` tiles apart, and two columns of them, from `sums` on where `add`. `stride`: floats between
// the rows of sums.
FABULA_TILE_TARGET inline void sum_tiles(const std::uint32_t* a, std::int64_t a_deep, const std::uint32_t* b, std::int64_t deep,
                                         float* sums, std::int64_t stride, bool add) {
  const std::int64_t bytes = stride * static_cast<std::int64_t>(sizeof(float));
  float* below = sums + tile_side * stride;
  if (add) {
    FABULA_TILE_LOAD(0, sums, bytes);
    FABULA_TILE_LOAD(1, sums + tile_side, bytes);
    FABULA_TILE_LOAD(2, below, bytes);
    FABULA_TILE_LOAD(3, below + tile_side, bytes);
  } else {
    FABULA_TILE_ZERO(0);
    FABULA_TILE_ZERO(1);
    FABULA_TILE_ZERO(2);
    FABULA_TILE_ZERO(3);
  }
  for (std::int64_t i = 0; i < deep; ++i) {
    FABULA_TILE_STREAM(4, a + i * tile_words, row_bytes);
    FABULA_TILE_STREAM(5, a + (a_deep + i) * tile_words, row_bytes);
    FABULA_TILE_LOAD(6, b + i * tile_words, row_bytes);
    FABULA_TILE_LOAD(7, b + (deep + i) * tile_words, row_bytes);
    FABULA_TILE_PRODUCTS(0, 4, 6);
    FABULA_TILE_PRODUCTS(1, 4, 7);
    FABULA_TILE_PRODUCTS(2, 5, 6);
    FABULA_TILE_PRODUCTS(3, 5, 7);
  }
  FABULA_TILE_STORE(0, sums, bytes);
  FABULA_TILE_STORE(1, sums + tile_side, bytes);
  FABULA_TILE_STORE(2, below, bytes);
  FABULA_TILE_STORE(3, below + tile_side, bytes);
}

// The same for height × width sums of them, which lie in c.
FABULA_TILE_TARGET inline void sum_part(const std::uint32_t* a, std::int64_t a_deep, const std::uint32_t* b, std::int64_t deep,
                                        Matrix<float> c, std::int64_t height, std::int64_t width, bool add) {
  constexpr std::int64_t side = 2 * tile_side;
  if (height == side && width == side) return sum_tiles(a, a_deep, b, deep, c.data, c.stride, add);
  alignas(64) float edge[side * side] = {};  // stands in for c where tiles are larger
  for (std::int64_t row = 0; add && row < height; ++row) std::copy_n(c.data + row * c.stride, width, edge + row * side);
  sum_tiles(a, a_deep, b, deep, edge, side, add);
  for (std::int64_t row = 0; row < height; ++row) std::copy_n(edge + row * side, width, c.data + row * c.stride);
}

// c of operands that are tiles, a's rows `a_deep` tiles apart.
FABULA_TILE_TARGET inline void multiply_packed(const std::uint32_t* a, std::int64_t a_deep, const std::uint32_t* b, Matrix<float> c,
                                               std::int64_t m, std::int64_t n, std::int64_t k, bool add) {
  constexpr std::int64_t side = 2 * tile_side;
  const std::int64_t deep = tiles_along(k);
  for (std::int64_t column = 0; column < n; column += side) {
    for (std::int64_t row = 0; row < m; row += side) {
      sum_part(a + row / tile_side * a_deep * tile_words, a_deep, b + column / tile_side * deep * tile_words, deep,
               {c.data + row * c.stride + column, c.stride}, std::min(side, m - row), std::min(side, n - column), add);
    }
  }
}

// Columns outermost: each is packed once, and a's tiles come from the second-level cache again.
FABULA_TILE_TARGET inline void multiply_blocks(const std::uint32_t* a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m,
                                               std::int64_t n, std::int64_t k) {
  constexpr std::int64_t side = 2 * tile_side;
  alignas(64) std::uint32_t panel[words_in_tiles(side, most_k)];
  for (std::int64_t column = 0; column < n; column += side) {
    const std::int64_t width = std::min(side, n - column);
    for (std::int64_t i = 0; i < k; i += most_k) {
      const std::int64_t depth = std::min(most_k, k - i);
      pack_columns(Matrix<const std::uint16_t>{b.data + column * b.stride + i, b.stride, true}, width, depth, panel);
      multiply_packed(a + i / tile_k * tile_words, tiles_along(k), panel, {c.data + column, c.stride}, m, width, depth, i > 0);
    }
  }
}

}  // namespace FABULA_TILE_NAMESPACE
}  // namespace fabula
