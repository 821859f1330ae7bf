// The validator. planner/schema/finding.h lists its rules.
#pragma once

#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

/// Everything wrong with a film as such, for any model: values, names, times, lines, the simulated world.
[[nodiscard]] std::vector<Finding> check(const Film&);
/// Everything that the model of this world cannot film or ignores. A film can be valid although a small model cannot make it.
[[nodiscard]] std::vector<Finding> check_model(const Film&, const World&);
/// Both. A film without errors can be made; the planner's own plans have none.
[[nodiscard]] std::vector<Finding> check(const Film&, const World&);
/// Throws PlanError with all findings if any is an error.
void require_valid(const Film&, const World&);

/// What was locked in `before` and differs in `after`, comparing shots of one id; one finding per path.
[[nodiscard]] std::vector<Finding> locked_changes(const Film& before, const Film& after);

}  // namespace fabula::plan
