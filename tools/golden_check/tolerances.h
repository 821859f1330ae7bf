// How far a result may be from the reference, in one table, each with its reason.
#pragma once

#include <string>

#include "engine/context.h"

namespace fabula::golden {

struct Tolerance {
  const char* part;
  double fp32;  ///< float32 against the reference's float32
  double bf16;  ///< products of bf16 operands against the reference's float32
  const char* reason;
};

// Bounds of Comparison::largest_error. Outputs are of order one. A bf16 operand carries a relative error of 2^-9; through a network of some
// layers that grows to a few hundredths, as it does between the reference's own two precisions (0.03 to 0.05 on these transformers).
inline constexpr Tolerance tolerances[] = {
    {"rng", 1e-6, 1e-6, "log, cos and sin differ in the last bit between mathematical libraries"},
    {"scheduler", 2e-6, 2e-6, "float32 arithmetic in another order"},
    {"layout", 1e-9, 1e-9, "float64 coordinates; indices and tags are integers and must be equal"},
    {"geometry", 0.0, 0.0, "integers"},
    {"patchify", 0.0, 0.0, "values are only moved"},
    {"tokenizer", 0.0, 0.0, "integers and text"},
    {"qwen3", 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"qwen3_moe", 2e-4, 0.1,
     "float32 sums in another order through all layers; with bf16 operands the router stays float32, so that only errors of the states can "
     "change an expert"},
    {"qwen3_vl", 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"transformer", 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"vae", 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"audio_vae", 2e-4, 2e-4, "float32 sums in another order; this network stays float32 in both profiles, as the reference's does"},
    {"sampler", 1e-3, 0.25, "the errors of every step add up"},
};

[[nodiscard]] inline const Tolerance* tolerance_of(const std::string& part) {
  for (const Tolerance& tolerance : tolerances) {
    if (part == tolerance.part) return &tolerance;
  }
  return nullptr;
}

}  // namespace fabula::golden
