// Matrix products on the calling thread: what the cpu table's linear, attention and convolutions are made of.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace fabula {

/// A row-major matrix whose rows lie `stride` elements apart.
template <typename T>
struct Matrix {
  T* data;
  std::int64_t stride;
  bool transposed = false;
};

/// c (m, n) = a (m, k) · b (k, n), or c += … with `add`. A transposed operand is stored as (k, m) or (n, k). Each sum is a chain of fused
/// multiply-adds in the order of k, on every processor that has them.
void multiply(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k, bool add);

/// c (m, n) = a (m, k) · b (k, n), b bf16 and stored as (n, k), a holding values that are bf16. Each sum goes through k in tiles of 32: the
/// products of even k and those of odd k are added up, in their order, then both to the sum. So AMX adds (Intel SDM, TDPBF16PS), and every
/// processor gives its bytes; denormals count as zeros, as they do there.
void multiply_bf16(Matrix<const float> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k);

/// c = a · b, or c += … with `add`, in that order, of operands that are floats and hold bf16 values.
void multiply_rounded(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k,
                      bool add);

/// to = from (rows, width), each value rounded to bf16: what multiply_bf16 and multiply_rounded take.
void round_to_bf16(Matrix<const float> from, std::int64_t rows, std::int64_t width, Matrix<float> to);

/// Operands as AMX's tiles hold them: 16 rows of 16 words, each two bf16 of neighbouring k. A tile of a is 16 rows of 32 k, one of b 32 k
/// of 16 columns; the tiles of all k follow each other, then come the next 16 rows or columns. Zeros stand behind the last k, row and
/// column, so that there is an even number of tiles down and across: products are made two by two.
constexpr std::int64_t tile_side = 16, tile_k = 32, tile_words = tile_side * tile_side;

[[nodiscard]] constexpr std::int64_t tiles_along(std::int64_t k) { return (k + tile_k - 1) / tile_k; }
/// Words of `count` rows or columns of k values.
[[nodiscard]] constexpr std::int64_t words_in_tiles(std::int64_t count, std::int64_t k) {
  return (count + 2 * tile_side - 1) / (2 * tile_side) * 2 * tiles_along(k) * tile_words;
}

/// a (m, k), rounded to bf16, as tiles.
void pack_rows(Matrix<const float> a, std::int64_t m, std::int64_t k, std::uint32_t* tiles);
/// b (k, n), stored as (n, k), as tiles.
void pack_columns(Matrix<const std::uint16_t> b, std::int64_t n, std::int64_t k, std::uint32_t* tiles);
/// b (k, n), rounded to bf16, as tiles.
void pack_columns(Matrix<const float> b, std::int64_t n, std::int64_t k, std::uint32_t* tiles);
/// Turns tiles of a matrix into those of the transposed one: rows become columns.
void turn_tiles(std::uint32_t* tiles, std::int64_t words);

/// Sums by tiles come in blocks of 32 × 32, each row after the other.
constexpr std::int64_t block_side = 2 * tile_side;

/// What happens to sums before they are stored: activation(sum + bias).
struct Finish {
  const float* bias = nullptr;  ///< one a column, or none
  Activation activation = Activation::none;

  [[nodiscard]] bool is_nothing() const { return bias == nullptr && activation == Activation::none; }
  /// For the columns from `column` on.
  [[nodiscard]] Finish from(std::int64_t column) const { return {bias == nullptr ? nullptr : bias + column, activation}; }
};

/// to (rows, columns) = the finished sums; to may be where they are.
void finish_rows(Matrix<const float> sums, std::int64_t rows, std::int64_t columns, const Finish& finish, Matrix<float> to);

/// The most rows of multiply_by_tiles; how much of k it packs at once, in how many panels of 32 columns: 128 KiB in all.
constexpr std::int64_t most_tiled_rows = 512, most_tiled_k = 512, tiled_group = 4;

/// The bytes of multiply_bf16, finished, by AMX's tiles, where there are any: `a` (m, k) as tiles, b stored as (n, k).
void multiply_by_tiles(const std::uint32_t* a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                       std::int64_t k, const Finish& finish);

/// What multiplies tiles. Tiles are a state of the thread: begin() sets them up and end() gives them back.
struct TileUnit {
  void (*begin)();
  void (*end)();
  /// c = a · b, or c += … with `add`, over `deep` tiles along k: blocks of 32 rows of a, whose rows of tiles are a_deep tiles apart, with
  /// 32 columns of b.
  void (*multiply)(const std::uint32_t* a, std::int64_t a_deep, const std::uint32_t* b, std::int64_t deep, std::int64_t blocks, float* c,
                   bool add);
};
/// Four products of tiles a round, which hold what they hold: the most that tiles do. Returns the operations.
double repeat_tile_products(std::int64_t rounds);
/// AMX's, where cpu_has_tiles().
[[nodiscard]] const TileUnit& amx_tiles();

/// Whether tiles multiply here: the processor has them, the system grants them, and they were seen to give multiply_bf16's bytes.
[[nodiscard]] bool cpu_has_tiles();

}  // namespace fabula
