// Attention by AMX's tiles, apart from the instructions, so that all of it but them runs on every machine.
#pragma once

#include "kernels/grain.h"
#include "kernels/kernels.h"
#include "kernels/multiply.h"

namespace fabula {

constexpr std::int64_t most_rounded_dim = 128;  ///< of a head whose products are bf16: copies of it lie on the stack

/// Whether tiles attend: few queries are not worth the packing of all keys. The bytes are the same either way.
[[nodiscard]] inline bool is_tiled(const Exec& exec, const Tensor& q) {
  return exec.attention == AttentionBy::tiles && q.shape[0] >= fewest_tiled_rows && q.shape[2] <= most_rounded_dim;
}

/// Words of scratch for one head's keys and values, (rows, dim) each.
[[nodiscard]] std::int64_t tiled_head_words(std::int64_t rows, std::int64_t dim);

/// cpu_bf16_kernels()'s attention in heads of up to 128 channels. scratch: tiled_head_words of every kv head.
void attention_by_tiles(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out, const TileUnit& unit);

}  // namespace fabula
