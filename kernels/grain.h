// How finely the cpu table cuts its work. Each constant depends on shapes alone, so that no result depends on the number of threads; all
// are compromises between the cost of handing a piece to a thread (some microseconds) and the size of the caches.
#pragma once

#include <cstdint>

namespace fabula {

/// Floats of an elementwise piece: 64 KiB an operand, so that two operands and the result stay in a 256 KiB second-level cache.
constexpr std::int64_t floats_per_piece = 16384;

/// A row longer than this is cut into parts: four elementwise pieces.
constexpr std::int64_t long_row = 4 * floats_per_piece;

/// Floats that are rounded to bf16 in one piece. Rounding is cheaper than an elementwise entry, so its pieces are four times as long.
constexpr std::int64_t floats_per_rounding = 4 * floats_per_piece;

/// A matrix product of fewer multiplications is one tile: at 75 Gop/s a core (docs/DESIGN.md, section 7) it takes 14 microseconds, about as
/// long as waking another thread.
constexpr std::int64_t least_shared_product = 1 << 19;

/// A product's tile: rows of x by columns of the result, few, so that a small model's products are shared evenly. Its rows stay in the
/// second-level cache while the weight is packed once for all of them (multiply_cpu.cpp).
constexpr std::int64_t rows_per_tile = 192, columns_per_tile = 64;

/// Rows from which on AMX's tiles multiply and attend: below, a tile is mostly empty, and packing the weight for it costs more than the
/// products. The bytes are the same either way.
constexpr std::int64_t fewest_tiled_rows = 16;

/// Columns of linear_i8's tile: a few panels.
constexpr std::int64_t columns_per_i8_tile = 128;

/// Products of query and key that make paged attention's piece.
constexpr std::int64_t products_per_attention_piece = 1 << 18;

}  // namespace fabula
