// Number formats in which some weights share a scale: what each block of a tensor holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fabula {

/// A format of ggml (ggml-common.h, block_*). A tensor's rows are whole numbers of blocks.
struct BlockFormat {
  const char* name;      ///< "Q4_K"
  std::uint32_t type;    ///< ggml_type, as GGUF files number them
  std::int64_t weights;  ///< in a block
  std::size_t bytes;     ///< of a block
  /// One block to float32, bit for bit as the Python package gguf dequantises it.
  void (*widen)(const std::uint8_t* block, float* to);
};

/// Q4_0, Q4_1, Q5_0, Q8_0, Q4_K, Q5_K and Q6_K.
[[nodiscard]] std::span<const BlockFormat> block_formats();

/// IEEE binary16: sign 1, exponent 5, mantissa 10 bits.
[[nodiscard]] float from_f16(std::uint16_t bits);

}  // namespace fabula
