// Attention by AMX's tiles, apart from the instructions, so that all of it but them runs on every machine.
#pragma once

#include "kernels/kernels.h"
#include "kernels/multiply.h"

namespace fabula {

constexpr std::int64_t most_rounded_dim = 128;  ///< of a head whose products are bf16: copies of it lie on the stack

/// Words of scratch for one head's keys and values, (rows, dim) each.
[[nodiscard]] std::int64_t tiled_head_words(std::int64_t rows, std::int64_t dim);

/// cpu_bf16_kernels()'s attention in heads of up to 128 channels. scratch: tiled_head_words of every kv head.
void attention_by_tiles(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out, const TileUnit& unit);

}  // namespace fabula
