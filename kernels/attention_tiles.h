// Attention by AMX's tiles, apart from the instructions, so that all of it but them runs on every machine.
#pragma once

#include "kernels/kernels.h"
#include "kernels/multiply.h"

namespace fabula {

/// cpu_bf16_kernels()'s attention in heads of up to 128 channels; `product` multiplies tiles.
void attention_by_tiles(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out, TileProduct* product);

}  // namespace fabula
