// linear: products in tiles, then bias and activation while a tile is still in the cache.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/families.h"
#include "kernels/instruction_set.h"
#include "kernels/multiply.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(finish);

/// x (rows, k), rounded as its products by a bf16 weight want it: as floats, or as AMX's tiles.
void round_rows(const Exec& exec, Tensor x, bool as_tiles, Tensor to) {
  if (!as_tiles) {
    in_pieces(exec, x.elements(), floats_per_rounding, [&](std::int64_t begin, std::int64_t end) {
      round_to_bf16({x.f32() + begin, 0}, 1, end - begin, {to.f32() + begin, 0});
    });
    return;
  }
  const std::int64_t rows = x.rows(), k = x.width(), side = 2 * tile_side;
  in_pieces(exec, (rows + side - 1) / side, std::max<std::int64_t>(1, floats_per_rounding / (side * k)),
            [&](std::int64_t begin, std::int64_t end) {
              const std::int64_t first = begin * side;
              pack_rows({x.f32() + first * k, k}, std::min(end * side, rows) - first, k, to.as<std::uint32_t>() + words_in_tiles(first, k));
            });
}

void linear(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Activation activation, RoundedX rounded, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  if (rows == 0 || n == 0) return;
  const bool is_bf16 = weight.dtype == DType::bf16,
             by_tiles = is_bf16 && rows >= fewest_tiled_rows && instruction_set() == InstructionSet::amx;
  const Tensor scratch = rounded.scratch;
  if (is_bf16 && !rounded.is_there) round_rows(exec, x, by_tiles, scratch);
  const float* factors = is_bf16 ? scratch.f32() : x.f32();
  const bool one_tile = rows * n * k < least_shared_product;
  const std::int64_t tile_rows = by_tiles   ? tile_size(rows, most_tiled_rows, block_side)
                                 : one_tile ? rows
                                            : tile_size(rows, rows_per_tile, 12);
  const std::int64_t tile_columns = one_tile ? n : tile_size(n, by_tiles ? tiled_group * block_side : columns_per_tile, block_side);
  const std::int64_t tiles_down = (rows + tile_rows - 1) / tile_rows, tiles_across = (n + tile_columns - 1) / tile_columns;
  in_pieces(exec, tiles_down * tiles_across, 1, [&](std::int64_t tile, std::int64_t) {
    const std::int64_t row = tile / tiles_across * tile_rows, column = tile % tiles_across * tile_columns;
    const std::int64_t height = std::min(tile_rows, rows - row), width = std::min(tile_columns, n - column);
    const Matrix<float> to{out.f32() + row * n + column, n};
    const Finish last{bias.absent() ? nullptr : bias.f32() + column, activation};
    if (by_tiles)
      return multiply_by_tiles(scratch.as<std::uint32_t>() + words_in_tiles(row, k), {weight.as<std::uint16_t>() + column * k, k, true}, to,
                               height, width, k, last);
    if (is_bf16)
      multiply_bf16({factors + row * k, k}, {weight.as<std::uint16_t>() + column * k, k, true}, to, height, width, k);
    else
      multiply({factors + row * k, k}, {weight.f32() + column * k, k, true}, to, height, width, k, false);
    if (!last.is_nothing()) finish_rows({to.data, n}, height, width, last, to);
  });
}

}  // namespace

void finish_rows(Matrix<const float> sums, std::int64_t rows, std::int64_t columns, const Finish& last, Matrix<float> to) {
  HWY_DYNAMIC_DISPATCH(finish)(sums.data, sums.stride, rows, columns, last.bias, last.activation, to.data, to.stride);
}

void add_cpu_gemm(Kernels& table) { table.linear = linear; }

}  // namespace fabula
#endif  // HWY_ONCE
