// `fabula plan --compile`.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"

namespace fabula::cli {

/// The models that a plan can be compiled for.
[[nodiscard]] std::vector<std::string> compile_targets();

/// What `target` is asked for a plan, as JSON: clips, prompts, references. What the target cannot be told is reported on standard error.
/// Throws PlanError for a plan with errors.
[[nodiscard]] std::string compile_plan(const plan::Film&, const std::string& target);

}  // namespace fabula::cli
