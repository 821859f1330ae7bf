// Matrix products on the calling thread alone: what the cpu table's linear, attention and convolutions are made of.
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

/// c (m, n) = factor · a (m, k) · b (k, n), or c += … with `add`. A transposed operand is stored as (k, m) or (n, k).
void multiply(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k, float factor,
              bool add);

/// c (m, n) = a (m, k) · bᵀ with b stored as (n, k), both bf16, summed in f32.
void multiply_bf16(Matrix<const std::uint16_t> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                   std::int64_t k);

}  // namespace fabula
