// Changes one shot of a plan, or all from one on, by a wish in plain words, using rules (planner/oracle/oracle.h). The rest of the plan
// stays. Wishes about whole shots and the title are those of planner/edit/reshape.h.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"

namespace fabula::plan {

struct Wish {
  std::string text;      ///< "make it night", "the crab jumps", "zoom in"
  std::string shot;      ///< the id of the shot to change
  bool onwards = false;  ///< change all that follow, too
};

struct Replanned {
  Film film;
  std::vector<std::string> notes;  ///< what the wish asks for and does not get, one sentence each
};

/// Applies the wish to its shots and to what depends on them: a later shot that continues a changed one follows it to its place, and a
/// later `pre` that now fails is rewritten to what holds then. Locked fields stay. If a place changes its time and other shots use it, the
/// plan gets a second entry of it. Everything else stays. Words of the wish that the world does not know are added to `unsupported`. Throws
/// PlanError with all findings if the changed plan cannot be filmed or locks forbid the whole wish; Error: usage for an unknown shot,
/// bad_data for a wish that says nothing.
[[nodiscard]] Replanned replan(const Film&, const Wish&, const World&, const PhonesFunction&);

}  // namespace fabula::plan
