// The product of multiply_by_tiles, over tile instructions that the includer names: AMX's own, or an emulation in a test.
//
// FABULA_TILE_LOAD(t, base, stride), FABULA_TILE_STORE(t, base, stride), FABULA_TILE_ZERO(t), FABULA_TILE_PRODUCTS(sum, a, b): tiles 0 to 7
// of 16 rows of 64 bytes. They are macros because the instructions want their tiles' numbers as literals. FABULA_TILE_TARGET: an attribute.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/multiply.h"

namespace fabula {
namespace FABULA_TILE_NAMESPACE {

constexpr std::int64_t tile_rows = 16, tile_k = 32, tile_columns = 16;
constexpr std::int64_t tile_words = tile_rows * 16;  // of 32 bits
constexpr std::int64_t most_rows = 192, most_k = 512;
constexpr std::int64_t row_bytes = 64;

// Rows of a (count, depth) as tiles: a row of a tile is 32 k. Zeros behind both ends.
inline void pack_rows(Matrix<const std::uint16_t> a, std::int64_t count, std::int64_t depth, std::uint32_t* tiles) {
  const std::int64_t deep = (depth + tile_k - 1) / tile_k, padded = (count + 2 * tile_rows - 1) / (2 * tile_rows) * (2 * tile_rows);
  std::memset(tiles, 0, static_cast<std::size_t>(padded / tile_rows * deep * tile_words) * sizeof(std::uint32_t));
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t k = 0; k < depth; k += tile_k) {
      std::uint32_t* to = tiles + (row / tile_rows * deep + k / tile_k) * tile_words + row % tile_rows * 16;
      std::memcpy(to, a.data + row * a.stride + k, static_cast<std::size_t>(std::min(tile_k, depth - k)) * sizeof(std::uint16_t));
    }
  }
}

// Columns of b, which lie as rows (count, depth), as tiles: a row of a tile is two k of 16 columns.
inline void pack_columns(Matrix<const std::uint16_t> b, std::int64_t count, std::int64_t depth, std::uint32_t* tiles) {
  const std::int64_t deep = (depth + tile_k - 1) / tile_k;
  std::memset(tiles, 0, static_cast<std::size_t>(2 * deep * tile_words) * sizeof(std::uint32_t));
  for (std::int64_t column = 0; column < count; ++column) {
    const std::uint16_t* from = b.data + column * b.stride;
    std::uint32_t* to = tiles + column / tile_columns * deep * tile_words + column % tile_columns;
    for (std::int64_t k = 0; k + 2 <= depth; k += 2) {
      std::uint32_t pair;
      std::memcpy(&pair, from + k, sizeof pair);
      to[k / 2 * 16] = pair;
    }
    if (depth % 2 == 1) to[depth / 2 * 16] = from[depth - 1];
  }
}

// 32 × 32 sums of two rows of tiles and two columns of them, from `sums` on where `add`. `stride`: floats between the rows of sums.
FABULA_TILE_TARGET inline void sum_tiles(const std::uint32_t* a, const std::uint32_t* b, std::int64_t deep, float* sums,
                                         std::int64_t stride, bool add) {
  const std::int64_t bytes = stride * static_cast<std::int64_t>(sizeof(float));
  float* below = sums + tile_rows * stride;
  if (add) {
    FABULA_TILE_LOAD(0, sums, bytes);
    FABULA_TILE_LOAD(1, sums + tile_columns, bytes);
    FABULA_TILE_LOAD(2, below, bytes);
    FABULA_TILE_LOAD(3, below + tile_columns, bytes);
  } else {
    FABULA_TILE_ZERO(0);
    FABULA_TILE_ZERO(1);
    FABULA_TILE_ZERO(2);
    FABULA_TILE_ZERO(3);
  }
  for (std::int64_t i = 0; i < deep; ++i) {
    FABULA_TILE_LOAD(4, a + i * tile_words, row_bytes);
    FABULA_TILE_LOAD(5, a + (deep + i) * tile_words, row_bytes);
    FABULA_TILE_LOAD(6, b + i * tile_words, row_bytes);
    FABULA_TILE_LOAD(7, b + (deep + i) * tile_words, row_bytes);
    FABULA_TILE_PRODUCTS(0, 4, 6);
    FABULA_TILE_PRODUCTS(1, 4, 7);
    FABULA_TILE_PRODUCTS(2, 5, 6);
    FABULA_TILE_PRODUCTS(3, 5, 7);
  }
  FABULA_TILE_STORE(0, sums, bytes);
  FABULA_TILE_STORE(1, sums + tile_columns, bytes);
  FABULA_TILE_STORE(2, below, bytes);
  FABULA_TILE_STORE(3, below + tile_columns, bytes);
}

// The same for height × width sums of them, which lie in c.
FABULA_TILE_TARGET inline void sum_part(const std::uint32_t* a, const std::uint32_t* b, std::int64_t deep, Matrix<float> c,
                                        std::int64_t height, std::int64_t width, bool add) {
  constexpr std::int64_t side = 2 * tile_columns;
  if (height == side && width == side) return sum_tiles(a, b, deep, c.data, c.stride, add);
  alignas(64) float edge[side * side] = {};  // stands in for c where tiles are larger
  for (std::int64_t row = 0; add && row < height; ++row) std::copy_n(c.data + row * c.stride, width, edge + row * side);
  sum_tiles(a, b, deep, edge, side, add);
  for (std::int64_t row = 0; row < height; ++row) std::copy_n(edge + row * side, width, c.data + row * c.stride);
}

FABULA_TILE_TARGET inline void multiply_blocks(Matrix<const std::uint16_t> a, Matrix<const std::uint16_t> b, Matrix<float> c,
                                               std::int64_t m, std::int64_t n, std::int64_t k) {
  alignas(64) std::uint32_t rows_of_a[most_rows * most_k / 2], columns_of_b[2 * tile_columns * most_k / 2];
  for (std::int64_t row = 0; row < m; row += most_rows) {
    const std::int64_t rows = std::min(most_rows, m - row);
    for (std::int64_t i = 0; i < k; i += most_k) {
      const std::int64_t depth = std::min(most_k, k - i), deep = (depth + tile_k - 1) / tile_k;
      pack_rows({a.data + row * a.stride + i, a.stride}, rows, depth, rows_of_a);
      for (std::int64_t column = 0; column < n; column += 2 * tile_columns) {
        const std::int64_t columns = std::min(2 * tile_columns, n - column);
        pack_columns({b.data + column * b.stride + i, b.stride}, columns, depth, columns_of_b);
        for (std::int64_t at = 0; at < rows; at += 2 * tile_rows) {
          sum_part(rows_of_a + at / tile_rows * deep * tile_words, columns_of_b, deep, {c.data + (row + at) * c.stride + column, c.stride},
                   std::min(2 * tile_rows, rows - at), columns, i > 0);
        }
      }
    }
  }
}

}  // namespace FABULA_TILE_NAMESPACE
}  // namespace fabula
