// Published language models: what one is, and the plan that it writes.
#pragma once

#include <string>

#include "engine/plan.h"
#include "library/options.h"
#include "library/source.h"

namespace fabula::cli {

/// A published checkpoint that writes the plan instead of the bundle's planner.
struct CheckpointOptions {
  std::string folder;  ///< empty: the bundle's planner writes
  std::string precision = "auto";
  std::string image;      ///< a picture that goes with the prompt; may be empty
  bool any_film = false;  ///< not only what the bundle can film
};

/// The plan of a prompt, of what the bundle can film or of any film. What the bundle cannot show is reported on standard error. Throws
/// Error(usage) for a source that is a plan.
[[nodiscard]] plan::Film plan_by_checkpoint(const Source&, const PlanningOptions&, const CheckpointOptions&);

/// Prints what a checkpoint is and how much memory it needs, without reading its weights.
void describe_checkpoint(const std::string& folder, bool json);

}  // namespace fabula::cli
