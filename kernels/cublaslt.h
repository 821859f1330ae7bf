// Matrix products by NVIDIA's cuBLASLt, which is opened by name when the first product asks for it. Where it is absent, ours run.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/kernels.h"

namespace fabula::cuda {

/// What cuBLASLt can do to a product before it is stored.
enum class Epilogue : std::uint8_t { none, gelu_tanh };

/// out (rows, n) f32 = epilogue(x (rows, k) · weightᵀ (n, k) + bias (n)), all contiguous on the device; x and weight both f32 or both
/// bf16; bias f32 or null.
struct Product {
  const void* x;
  const void* weight;
  const float* bias;
  float* out;
  std::int64_t rows, k, n;
  bool bf16;
  Epilogue epilogue;
};

/// Whether the library is there.
[[nodiscard]] bool has_cublaslt();

/// Puts the product on the stream. It takes no workspace, so nothing is allocated; the choice of an algorithm is kept by shape. False
/// where the library is absent or has no algorithm for the product: then nothing was done. Throws Error(unavailable) when a call fails.
[[nodiscard]] bool multiply_with_cublaslt(const Exec&, const Product&);

/// "cuBLASLt 13.0.2", or why there is none, in a sentence.
[[nodiscard]] std::string cublaslt_text();

}  // namespace fabula::cuda
