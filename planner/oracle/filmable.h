// What of a prompt a world can film at all, and what a person should know about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/oracle/story.h"

namespace fabula::oracle {

/// What a person puts up with: `anyway`, a film of which the prompt says nothing that can be shown; not `strict`, a film that lacks
/// something.
struct Leniency {
  bool anyway = false, strict = false;
};

/// Throws Error(bad_data) with what the world knows where a story has nothing that it can show, where the prompt is in a language that it
/// does not know, and, if strict, where `film` leaves something out.
void require_filmable(std::string_view prompt, const Story&, const plan::Film&, const World&, Leniency);

/// Sentences for a person: who plays a character that the world does not know, and that the film is as long as it can be.
[[nodiscard]] std::vector<std::string> notes_of(const Story&, const plan::Film&, const World&);

}  // namespace fabula::oracle
