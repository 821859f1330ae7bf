// Attention by NVIDIA's cuDNN, which is opened by name when the first attention asks for it. Where it is absent, or has no plan, ours runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/kernels.h"

namespace fabula::cuda {

constexpr std::size_t fused_workspace = 4096;  ///< bytes; plans of cuDNN 9.19 ask for 0 or 256
constexpr std::size_t fused_alignment = 256;

/// out (q_rows, heads, dim) = softmax(q·kᵀ/sqrt(dim)) · v with q (q_rows, heads, dim), k, v (k_rows, kv_heads, dim); heads is a multiple
/// of kv_heads. All bf16, contiguous and on the device, at multiples of 16 bytes; softmax and sums are f32.
struct FusedAttention {
  const void *q, *k, *v;
  void* out;
  void* workspace;  ///< fused_workspace bytes, at a multiple of fused_alignment
  std::int64_t q_rows, k_rows, heads, kv_heads, dim;
};

/// Whether the library is there and new enough.
[[nodiscard]] bool has_cudnn();

/// Puts the attention on the stream. The plan is made once per shape and device, with host memory of the library's own; after that nothing
/// is allocated, and a graph may hold the call. False where the library is absent or has no plan that needs no more than the workspace:
/// then nothing was done, and cudnn_text() says why. Throws Error(unavailable) when a plan cannot be run.
[[nodiscard]] bool attend_with_cudnn(const Exec&, const FusedAttention&);

/// "cuDNN 9.19.0", with what it refused last; or why there is none, in a sentence.
[[nodiscard]] std::string cudnn_text();

}  // namespace fabula::cuda
