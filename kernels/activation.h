// The activations, one value at a time: what `reference` means by them.
#pragma once

#include <cmath>

#include "kernels/kernels.h"

namespace fabula {

[[nodiscard]] inline float activated(Activation activation, float x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::silu:
      return x / (1.0F + std::exp(-x));
    case Activation::gelu_tanh: {
      constexpr float sqrt_2_over_pi = 0.7978845608028654F;
      return 0.5F * x * (1.0F + std::tanh(sqrt_2_over_pi * (x + 0.044715F * x * x * x)));
    }
    case Activation::gelu_erf: {
      constexpr float sqrt_half = 0.7071067811865476F;
      return 0.5F * x * (1.0F + std::erf(x * sqrt_half));
    }
  }
  return x;
}

}  // namespace fabula
