// The film's world, shot by shot: a set of (entity, attribute) -> value. `world` gives what holds at the start, a shot's `pre` what must
// hold before it, its `effects` what holds after it. Any attribute may be used; these have a meaning:
//
//   place     of a character: the id of the place where they are. A cast may only be where the world has them; a character without a place
//             may be anywhere.
//   holder    of a prop: the id of the character or place that has it, or "none". A prop changes hands where both holders are seen.
//   state     of a prop: one of its states. Anything may be "destroyed"; it is not used again.
//   wardrobe  of a character: what they wear, at first their field `wardrobe`.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

struct Change {
  std::string entity, attribute, before, after;  ///< before: empty if unknown
};

struct Timeline {
  std::vector<Fact> start;                 ///< what holds before the first shot
  std::vector<std::vector<Change>> shots;  ///< what each shot changes
  std::vector<Finding> findings;
};

[[nodiscard]] Timeline simulate(const Film&);

}  // namespace fabula::plan
