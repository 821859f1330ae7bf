// Samplers: how latents go from noise to clean, given a model that predicts the clean ones. The shape is k-diffusion's.
// To add one: its function and its line in samplers.cpp, a case in tests/engine/samplers_test.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ops.h"
#include "engine/sample/schedule.h"

namespace fabula {

/// Latents that are denoised in place, and the schedule they follow. All latents of a run have schedules of as many steps.
struct Track {
  Tensor latents;
  const Schedule& schedule;
};

/// One evaluation of the model, on the tracks' latents as they are now. timesteps: one per track, 0 noise … 1 clean, of one and the same
/// point of their schedules: what follows from timesteps alone can be made before the run. Returns the clean
/// latents the model predicts, one tensor per track, of its shape; the caller may overwrite them.
using Evaluate = std::function<std::vector<Tensor>(Context&, std::span<const float> timesteps)>;

/// Called after each step with the number of steps done; returning false stops with Error(interrupted).
using AfterStep = std::function<bool(std::size_t done)>;

struct Sampler {
  const char* name;
  /// Throws Error(bad_data) where the schedules differ in their steps.
  void (*run)(Context&, std::span<const Track>, const Evaluate&, const AfterStep&);
};

/// All of them, with commas between: "euler, heun".
[[nodiscard]] std::string sampler_names();
/// By name; Error(usage) names those that exist.
[[nodiscard]] const Sampler& sampler_named(std::string_view name);

}  // namespace fabula
