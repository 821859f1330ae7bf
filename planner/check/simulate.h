// The film's world, shot by shot: a set of (entity, attribute) -> value. `world` says what holds at the start, a shot's `pre` what must
// hold before it, its `effects` what holds after it. Any attribute may be used; these have a meaning:
//   place     of a character: where they are, the id of a place. A cast may only be where the world has them; who has no place is free to
//   move. holder    of a prop: who has it, the id of a character or place, or "none". It changes hands where the old and the new holder are
//   seen. state     of a prop: one of its states. What is "destroyed" (anything may be) is not used again. wardrobe  of a character: what
//   they wear, at first their field `wardrobe`.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

struct Change {
  std::string entity, attribute, before, after;  ///< before: empty if nothing was known
};

struct Timeline {
  std::vector<Fact> start;                 ///< what holds before the first shot
  std::vector<std::vector<Change>> shots;  ///< what each shot changes
  std::vector<Finding> findings;
};

[[nodiscard]] Timeline simulate(const Film&);

}  // namespace fabula::plan
