// Lays the shots of a plan end to end again, after one was deleted, moved or made shorter by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"

namespace fabula::plan {

struct Retimed {
  Film film;
  std::vector<std::string> notes;  ///< what had to change besides times, one sentence each
};

/// Each shot starts where the one before ends and keeps its length; its lines move with it; `total_ms` is the end of the last. Shots of the
/// world's own length take its grid, whose lengths differ by a millisecond. A first shot that would dissolve from nothing begins with a
/// cut, a shot that continued a deleted one stands by itself, and beats that no shot shows any more go.
[[nodiscard]] Retimed retime(const Film&, const World&);

/// As from_json, but any time may be missing: a shot's length then follows from its neighbours' starts, else it is the world's; a line
/// starts and ends as the planner would have it. The film is retimed. Throws PlanError as from_json does.
[[nodiscard]] Retimed retime_json(std::string_view json, const World&, const PhonesFunction&);

}  // namespace fabula::plan
