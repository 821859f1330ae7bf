// The planner by rules: reads a prompt within a world and writes the plan that tools/train/grammar.py would. Deterministic; needs no model.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/oracle/story.h"

namespace fabula::oracle {

/// What a prompt (UTF-8) says, as far as the world has it; the rest is in `unsupported`, word for word. Any text can be read. `present`:
/// who "it" and "they" are before anybody is named; then nobody stands in for those whom the world does not know.
[[nodiscard]] Story read_story(std::string_view prompt, const World&, const std::vector<std::string>& present = {});

/// The film of a story. What it leaves open is filled by the rules in tools/train/grammar.py. Its plan has no errors
/// (planner/check/check.h); what would give one, or goes beyond the model's number of shots, is left out and named in `unsupported`.
/// `phones` says how long a line lasts.
[[nodiscard]] plan::Film film_of(const Story&, const std::string& prompt, const World&, const PhonesFunction& phones);

/// Makes names words of their actors, so that prompts may use them. A name that means something already is left alone.
void add_names(World&, const std::vector<ActorName>& names);

/// Both. Throws Error as prepare_prompt (planner/text/prompt.h).
[[nodiscard]] plan::Film plan_by_rules(const std::string& prompt, const World&, const PhonesFunction&);

/// The words of `spans` added to what a plan names as unsupported, as far as there is room: each at most PlanCaps::unsupported bytes, none
/// twice.
void name_unsupported(std::vector<std::string>& unsupported, const std::vector<std::string>& spans);

/// The id of a further entry of a place in a plan: "forest", then "forest_2".
[[nodiscard]] std::string next_entry(const plan::Film&, const std::string& place);
/// A line of a shot as the planner times it. The speaker is a character of the film, their voice one of the world's.
[[nodiscard]] plan::Line line_of(const plan::Film&, const plan::Shot&, const std::string& speaker, const std::string& text, const World&,
                                 const PhonesFunction&);
/// The weather's, or "crickets" at night where there are some, else the place's own; of these what the world has.
[[nodiscard]] std::string ambience_of(const World::Place&, const std::string& time, const std::string& weather, const World&);
/// Where the index-th prop of a shot stands: beside a lead at position `lead` who is alone, else in the middle; the second on the other
/// side.
[[nodiscard]] std::string prop_position(const World&, std::size_t roles, const std::string& lead, std::size_t index);
/// Voices go by the actor's place in the world: even the first, odd the second.
[[nodiscard]] std::string default_voice(const std::string& actor, const World&);
/// The time of day that is meant where none is said.
[[nodiscard]] std::string default_time(const World&);

}  // namespace fabula::oracle
