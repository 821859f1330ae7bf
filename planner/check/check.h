// What must hold in a plan. planner/schema/finding.h lists the rules.
#pragma once

#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

/// All that is wrong with a film as such, whatever model is to make it: values, names, times, lines, the simulated world.
[[nodiscard]] std::vector<Finding> check(const Film&);
/// All that the model of this world cannot film, or does not look at. A film can be right although a small model cannot film it.
[[nodiscard]] std::vector<Finding> check_model(const Film&, const World&);
/// Both; without errors for a film that can be made. Plans of the planner have no errors.
[[nodiscard]] std::vector<Finding> check(const Film&, const World&);
/// Throws PlanError with the findings if there are errors among them.
void require_valid(const Film&, const World&);

/// What was locked in `before` and is not the same in `after`, shot by shot (by id); one finding a path.
[[nodiscard]] std::vector<Finding> locked_changes(const Film& before, const Film& after);

}  // namespace fabula::plan
