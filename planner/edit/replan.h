// A plan changed in one shot, or from one shot on, as somebody wishes: by rules (planner/oracle/oracle.h), the rest of the plan as it was.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"

namespace fabula::plan {

struct Wish {
  std::string text;      ///< "make it night", "the crab jumps", "zoom in"
  std::string shot;      ///< the id of the shot that it is about
  bool onwards = false;  ///< and about all that follow
};

struct Replanned {
  Film film;
  std::vector<std::string> notes;  ///< of what the wish asks and did not get, a sentence each
};

/// Changes what the wish says of its shots and what depends on it: a later shot that goes on from a changed one follows it to its place; a
/// later `pre` that failed would be rewritten to what holds then. Locked fields stay. A place whose time is wished otherwise gets a second
/// entry where other shots use the first. Everything else is as it was. Words of the wish that the world does not know are added to
/// `unsupported`. Throws PlanError with all findings where the changed plan could not be filmed, or where a lock forbids all of the wish;
/// Error: usage for a shot that is not there, bad_data for a wish that says nothing.
[[nodiscard]] Replanned replan(const Film&, const Wish&, const World&, const PhonesFunction&);

}  // namespace fabula::plan
