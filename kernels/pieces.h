// How the cpu table cuts its work. A piece depends on the shapes alone, never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "kernels/grain.h"
#include "kernels/kernels.h"

namespace fabula {

/// body(begin, end) on pieces of [0, count) of `grain` items, on the threads of `exec` if it has any.
template <typename Body>
void in_pieces(const Exec& exec, std::int64_t count, std::int64_t grain, const Body& body) {
  if (exec.pool != nullptr) {
    exec.pool->for_each(count, grain, std::cref(body));  // a reference fits into std::function without an allocation
    return;
  }
  for (std::int64_t begin = 0; begin < count; begin += grain) body(begin, std::min(count, begin + grain));
}

/// How many rows of `width` floats make an elementwise piece.
[[nodiscard]] inline std::int64_t rows_in_a_piece(std::int64_t width) {
  return std::max<std::int64_t>(1, floats_per_piece / std::max<std::int64_t>(1, width));
}

/// Cuts [0, count) into equal tiles of about `largest` at most: their size, a multiple of `multiple`.
[[nodiscard]] inline std::int64_t tile_size(std::int64_t count, std::int64_t largest, std::int64_t multiple) {
  const std::int64_t tiles = std::max<std::int64_t>(1, (count + largest - 1) / largest);
  const std::int64_t even = (count + tiles - 1) / tiles;
  return std::max(multiple, (even + multiple - 1) / multiple * multiple);
}

}  // namespace fabula
