// Matrix products on the calling thread: what the cpu table's linear, attention and convolutions are made of.
#pragma once

#include <cstdint>

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

/// The same bytes by AMX's tiles, where there are any; a is bf16, too.
void multiply_by_tiles(Matrix<const std::uint16_t> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                       std::int64_t k);

/// Whether tiles multiply here: the processor has them, the system grants them, and they were seen to give multiply_bf16's bytes.
[[nodiscard]] bool cpu_has_tiles();

}  // namespace fabula
