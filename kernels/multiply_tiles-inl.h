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

constexpr std::int64_t row_bytes = 64;

// 32 × 32 sums of two rows of tiles, `a_deep` tiles apart, and two columns of them, `b_deep` tiles apart, over `deep` tiles; from `sums` on
// where `add`. `stride`: floats between the rows of sums.
FABULA_TILE_TARGET inline void sum_tiles(const std::uint32_t* a, std::int64_t a_deep, const std::uint32_t* b, std::int64_t b_deep,
                                         std::int64_t deep, float* sums, std::int64_t stride, bool add) {
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
    FABULA_TILE_LOAD(7, b + (b_deep + i) * tile_words, row_bytes);
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

// A group of columns is packed once for all rows, and a block of rows goes with all of them while its tiles are in the first-level cache:
// what it writes of a row lies together, on few pages. A block of sums is still in that cache when it is finished and stored.
FABULA_TILE_TARGET inline void multiply_blocks(const std::uint32_t* a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m,
                                               std::int64_t n, std::int64_t k, const Finish& finish) {
  constexpr std::int64_t panel_words = words_in_tiles(block_side, most_tiled_k), block_floats = block_side * block_side;
  alignas(64) std::uint32_t panels[tiled_group * panel_words];
  alignas(64) float sums[most_tiled_rows * tiled_group * block_side];
  for (std::int64_t first = 0; first < n; first += tiled_group * block_side) {
    const std::int64_t group = std::min(tiled_group, (n - first + block_side - 1) / block_side);
    for (std::int64_t i = 0; i < k; i += most_tiled_k) {
      const std::int64_t depth = std::min(most_tiled_k, k - i), deep = tiles_along(depth);
      const bool is_last = i + depth == k, is_only = depth == k;
      for (std::int64_t p = 0; p < group; ++p) {
        const std::int64_t column = first + p * block_side;
        pack_columns(Matrix<const std::uint16_t>{b.data + column * b.stride + i, b.stride, true}, std::min(block_side, n - column), depth,
                     panels + p * panel_words);
      }
      float* block = sums;
      for (std::int64_t row = 0; row < m; row += block_side) {
        const std::uint32_t* rows = a + (row / tile_side * tiles_along(k) + i / tile_k) * tile_words;
        for (std::int64_t p = 0; p < group; ++p) {
          const std::int64_t column = first + p * block_side;
          const std::int64_t height = std::min(block_side, m - row), width = std::min(block_side, n - column);
          const Matrix<float> to{c.data + row * c.stride + column, c.stride};
          const bool is_whole = is_only && finish.is_nothing() && height == block_side && width == block_side;
          sum_tiles(rows, tiles_along(k), panels + p * panel_words, deep, deep, is_whole ? to.data : block,
                    is_whole ? to.stride : block_side, i > 0);
          if (is_last && !is_whole) finish_rows({block, block_side}, height, width, finish.from(column), to);
          if (!is_only) block += block_floats;
        }
      }
    }
  }
}

// TileUnit::multiply.
FABULA_TILE_TARGET inline void multiply_packed(const std::uint32_t* a, std::int64_t a_deep, const std::uint32_t* b, std::int64_t deep,
                                               std::int64_t blocks, float* c, bool add) {
  for (std::int64_t i = 0; i < blocks; ++i)
    sum_tiles(a + 2 * i * a_deep * tile_words, a_deep, b, deep, deep, c + i * block_side * block_side, block_side, add);
}

}  // namespace FABULA_TILE_NAMESPACE
}  // namespace fabula
