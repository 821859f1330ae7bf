// What every op is given first: which kernels, which memory, which threads.
#pragma once

#include "engine/arena.h"
#include "kernels/kernels.h"

namespace fabula {

/// Numeric profile of a run. bf16: matrix products take bf16 operands and sum in f32; everything else stays f32.
enum class Precision : std::uint8_t { fp32, bf16 };

struct Context {
  const Kernels& kernels;
  Arena& arena;
  Exec exec;
};

}  // namespace fabula
