// A video from another one's plan: by a wish in words, with other lines, or a shot made once more.
#pragma once

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"
#include "tools/serve/order.h"

namespace fabula::serve {

/// What edits plans.
struct Editor {
  const World* world = nullptr;  ///< null: the model films anything, and only seeds can be changed
  PhonesFunction phones;
};

/// The plan with what the fields ask for:
/// - `prompt`: a wish (planner/edit/replan.h), about `shot` if given, else about the whole film;
/// - `lines` with `shot`: the texts of its spoken lines, in order, as a JSON list; an empty one takes the line out;
/// - `seed`: of `shot`, which alone is then made otherwise, or of the film; -1 draws one.
/// Adds to `options` what concerns the film and not the plan. Throws Refused.
[[nodiscard]] plan::Film remixed(const plan::Film&, const Fields&, const Editor&, std::map<std::string, std::string>& options);

}  // namespace fabula::serve
