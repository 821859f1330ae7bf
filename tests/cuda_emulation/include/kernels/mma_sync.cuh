// kernels/mma_sync.cuh for the host: operands are where the PTX ISA puts them. The products of one instruction are summed in float64 and
// rounded once; how a card rounds within an instruction is not documented.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace fabula::cuda {

inline std::uint32_t to_tf32(float value) {
  const std::uint32_t bits = __float_as_uint(value);
  return value != value ? bits : (bits + 0x1000U) & 0xFFFFE000U;
}

inline std::uint32_t pack_bf16(float low, float high) {
  const auto rounded = [](float value) {
    const std::uint32_t bits = __float_as_uint(value);
    return value != value ? 0x7FFFU : (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  };
  return rounded(high) << 16U | rounded(low);
}

namespace emulated {

/// The operands of one lane.
struct Operands {
  std::uint32_t a[4], b[2];
};

/// value_a(lanes, row, k) and value_b(lanes, k, column) find an operand among the lanes'.
template <typename ValueA, typename ValueB>
void multiply(float (&sum)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], unsigned depth, std::source_location where,
              ValueA value_a, ValueB value_b) {
  const Operands mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  Operands lanes[32];
  cuda_emulation::gather(&mine, sizeof mine, lanes, where);
  const unsigned g = lane_of_self() / 4, t = lane_of_self() % 4;
  for (unsigned i = 0; i < 4; ++i) {
    double total = 0.0;
    for (unsigned k = 0; k < depth; ++k) total += double{value_a(lanes, g + i / 2 * 8, k)} * double{value_b(lanes, k, 2 * t + i % 2)};
    sum[i] = static_cast<float>(double{sum[i]} + total);
  }
}

inline float half_of(std::uint32_t pair, unsigned k) { return __uint_as_float(k % 2 == 0 ? pair << 16U : pair & 0xFFFF0000U); }
inline float tf32_of(std::uint32_t bits) { return __uint_as_float(bits & 0xFFFFE000U); }  // a card reads no more

}  // namespace emulated

inline void mma_tf32(float (&sum)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], Here where = Here::current()) {
  emulated::multiply(
      sum, a, b, 8, where,
      [](const auto& lanes, unsigned row, unsigned k) { return emulated::tf32_of(lanes[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2]); },
      [](const auto& lanes, unsigned k, unsigned column) { return emulated::tf32_of(lanes[column * 4 + k % 4].b[k / 4]); });
}

inline void mma_bf16(float (&sum)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], Here where = Here::current()) {
  emulated::multiply(
      sum, a, b, 16, where,
      [](const auto& lanes, unsigned row, unsigned k) {
        return emulated::half_of(lanes[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], k);
      },
      [](const auto& lanes, unsigned k, unsigned column) { return emulated::half_of(lanes[column * 4 + k % 8 / 2].b[k / 8], k); });
}

}  // namespace fabula::cuda
