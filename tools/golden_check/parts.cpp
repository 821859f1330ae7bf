// The tables of parts with their tolerances. Outputs are of order one. A bf16 operand carries a relative error of up to 2^-8; through a
// network of some layers that grows to a few hundredths, as it does between the reference's own two precisions (0.03 to 0.05 on these
// transformers).
#include "tools/golden_check/parts.h"

#include <span>

namespace fabula::golden {
namespace {

constexpr Part engine_parts[] = {
    {"rng", run_rng, 1e-6, 1e-6, "log, cos and sin differ in the last bit between mathematical libraries"},
    {"scheduler", run_scheduler, 2e-6, 2e-6, "float32 arithmetic in another order"},
};

constexpr Part planner_parts[] = {
    {"tokenizer", run_tokenizer, 0.0, 0.0, "integers and text"},
    {"qwen3", run_qwen3, 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"qwen3_moe", run_qwen3, 2e-4, 0.1,
     "float32 sums in another order through all layers; with bf16 operands the router stays float32, so that only errors of the states can "
     "change an expert"},
    {"qwen2", run_qwen3, 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"smollm2", run_qwen3, 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"llama3", run_qwen3, 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"qwen3_vl", run_qwen3, 2e-4, 0.1, "float32 sums in another order through all layers"},
};

constexpr Part h3_parts[] = {
    {"layout", run_layout, 1e-9, 1e-9, "float64 coordinates; indices and tags are integers and must be equal"},
    {"geometry", run_geometry, 0.0, 0.0, "integers"},
    {"patchify", run_patchify, 0.0, 0.0, "values are only moved"},
    {"transformer", run_transformer, 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"vae", run_vae, 2e-4, 0.1, "float32 sums in another order through all layers"},
    {"audio_vae", run_audio_vae, 2e-4, 2e-4,
     "float32 sums in another order; this network stays float32 in both profiles, as the reference's does"},
    {"sampler", run_sampler, 1e-3, 0.25, "the errors of every step add up"},
    {"h3_folder", run_h3_folder, 1.0, 1.0, "the share used up of each stage's own bound, which stands in run_h3_folder.cpp"},
};

}  // namespace

const Part* part_named(std::string_view name) {
  for (const std::span<const Part> table :
       {std::span<const Part>(engine_parts), std::span<const Part>(planner_parts), std::span<const Part>(h3_parts)}) {
    for (const Part& part : table) {
      if (name == part.name) return &part;
    }
  }
  return nullptr;
}

}  // namespace fabula::golden
