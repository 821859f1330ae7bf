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

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// To the nearest bf16, ties to even, as a float; by its bits, so that every instruction set rounds alike.
HWY_INLINE Vec nearest_bf16(Vec value) {
  const hn::RebindToUnsigned<Floats> words;
  const auto bits = hn::BitCast(words, value), upper = hn::Set(words, 0xFFFF0000U);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1U));
  const auto rounded = hn::And(hn::Add(hn::Add(bits, hn::Set(words, 0x7FFFU)), odd), upper);
  const auto quiet_nan = hn::Or(hn::And(bits, upper), hn::Set(words, 0x400000U));
  return hn::IfThenElse(hn::IsNaN(value), hn::BitCast(Floats(), quiet_nan), hn::BitCast(Floats(), rounded));
}

void round_to_bf16(const float* from, std::int64_t count, float* to) {
  map(from, count, to, [](Vec value) { return nearest_bf16(value); });
}

void narrow_to_bf16(const float* from, std::int64_t count, std::uint16_t* to) {
  const hn::RebindToUnsigned<Floats> words;
  const hn::RebindToSigned<Floats> integers;
  const hn::Rebind<std::uint16_t, Floats> narrow;
  HWY_ALIGN std::uint16_t tail[hn::MaxLanes(Floats())];
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const auto bits = hn::ShiftRight<16>(hn::BitCast(words, nearest_bf16(load(from + i, count - i))));
    const auto result = hn::DemoteTo(narrow, hn::BitCast(integers, bits));
    if (count - i >= lanes()) {
      hn::StoreU(result, narrow, to + i);
    } else {
      hn::Store(result, narrow, tail);
      std::memcpy(to + i, tail, static_cast<std::size_t>(count - i) * sizeof(std::uint16_t));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(finish);
HWY_EXPORT(round_to_bf16);
HWY_EXPORT(narrow_to_bf16);

// x (rows, k) as its products by a bf16 weight want it: rounded, and as bf16 where AMX multiplies.
void round_rows(const Exec& exec, Tensor x, bool by_tiles, void* to) {
  in_pieces(exec, x.elements(), floats_per_rounding, [&](std::int64_t begin, std::int64_t end) {
    if (by_tiles)
      HWY_DYNAMIC_DISPATCH(narrow_to_bf16)(x.f32() + begin, end - begin, static_cast<std::uint16_t*>(to) + begin);
    else
      HWY_DYNAMIC_DISPATCH(round_to_bf16)(x.f32() + begin, end - begin, static_cast<float*>(to) + begin);
  });
}

void linear(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor scratch, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  if (rows == 0 || n == 0) return;
  const bool is_bf16 = weight.dtype == DType::bf16,
             by_tiles = is_bf16 && rows >= fewest_tiled_rows && instruction_set() == InstructionSet::amx;
  if (is_bf16) round_rows(exec, x, by_tiles, scratch.data);
  const float* factors = is_bf16 ? scratch.f32() : x.f32();
  const bool one_tile = rows * n * k < least_shared_product;
  const std::int64_t tile_rows = one_tile ? rows : tile_size(rows, rows_per_tile, 12);
  const std::int64_t tile_columns = one_tile ? n : tile_size(n, columns_per_tile, 32);
  const std::int64_t tiles_down = (rows + tile_rows - 1) / tile_rows, tiles_across = (n + tile_columns - 1) / tile_columns;
  in_pieces(exec, tiles_down * tiles_across, 1, [&](std::int64_t tile, std::int64_t) {
    const std::int64_t row = tile / tiles_across * tile_rows, column = tile % tiles_across * tile_columns;
    const std::int64_t height = std::min(tile_rows, rows - row), width = std::min(tile_columns, n - column);
    const Matrix<float> to{out.f32() + row * n + column, n};
    if (by_tiles)
      multiply_by_tiles({scratch.as<std::uint16_t>() + row * k, k}, {weight.as<std::uint16_t>() + column * k, k, true}, to, height, width,
                        k);
    else if (is_bf16)
      multiply_bf16({factors + row * k, k}, {weight.as<std::uint16_t>() + column * k, k, true}, to, height, width, k);
    else
      multiply({factors + row * k, k}, {weight.f32() + column * k, k, true}, to, height, width, k, false);
    if (!bias.absent() || activation != Activation::none) {
      HWY_DYNAMIC_DISPATCH(finish)(to.data, n, height, width, bias.absent() ? nullptr : bias.f32() + column, activation);
    }
  });
}

}  // namespace

void add_cpu_gemm(Kernels& table) { table.linear = linear; }

}  // namespace fabula
#endif  // HWY_ONCE
