// What every op is given first: which kernels, which memory, which threads.
#pragma once

#include "engine/arena.h"
#include "kernels/kernels.h"

namespace fabula {

/// Numeric profile of a run. bf16: matrix products take bf16 operands and sum in f32; everything else stays f32. int8: the weights of
/// linear layers are i8 with a scale per row, as kernels.h's linear_i8 takes them; for language models, whose speed is that of reading
/// their weights.
enum class Precision : std::uint8_t { fp32, bf16, int8 };

struct Context {
  const Kernels& kernels;
  Arena& arena;
  Exec exec;
};

}  // namespace fabula
