// From what a prompt says to what a model may plan.
#pragma once

#include "engine/world.h"
#include "planner/grammar/brief.h"
#include "planner/oracle/story.h"

namespace fabula {

/// The brief of a story: its lines, the actors, places and times that it names (those that the rules would choose where it names none), and
/// nothing that it rules out. Lines beyond the longest film are left out; the film's `unsupported` has them (oracle::film_of).
[[nodiscard]] Brief brief_of(const oracle::Story&, const World&);

/// What a model that was not trained on plans is offered: who, where, when and doing what as the story names it. Where it names none, all
/// that it does not rule out, since such a model can choose (or has seen a picture). A shot for each thing that happens.
[[nodiscard]] Brief offer_of(const oracle::Story&, const World&);

}  // namespace fabula
