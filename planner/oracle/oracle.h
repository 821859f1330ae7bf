// The rules planner: reads a prompt within a world and makes the plan that tools/train/prompts/grammar.py would. Deterministic; needs no
// model.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/oracle/story.h"

namespace fabula::oracle {

/// The story of a prompt (any UTF-8 text), as far as the world can show it; the rest is in `unsupported`, verbatim. `present`: the actors
/// that "it" and "they" mean before any is named; if given, unknown characters get no stand-in.
[[nodiscard]] Story read_story(std::string_view prompt, const World&, const std::vector<std::string>& present = {});

/// The film of a story. The rules of tools/train/prompts/grammar.py fill in what the story leaves open. The plan has no errors
/// (planner/check/check.h): lines that would give one and shots beyond the model's maximum are dropped and named in `unsupported`. `phones`
/// gives the length of a line.
[[nodiscard]] plan::Film film_of(const Story&, const std::string& prompt, const World&, const PhonesFunction& phones);

/// Adds names to the words of their actors, so that prompts may use them. Skips a name that already has a meaning.
void add_names(World&, const std::vector<ActorName>& names);

/// Plans a film from a prompt: read_story, then film_of. Throws Error like prepare_prompt (planner/text/prompt.h).
[[nodiscard]] plan::Film plan_by_rules(const std::string& prompt, const World&, const PhonesFunction&);

/// Adds `spans` to a plan's `unsupported`, none twice.
void name_unsupported(std::vector<std::string>& unsupported, const std::vector<std::string>& spans);

/// The shots that fill a time, one at least. A film may not hold as many.
[[nodiscard]] int shots_in(double seconds, const World&);
/// The id of the next entry of a place in a plan: "forest", then "forest_2".
[[nodiscard]] std::string next_entry(const plan::Film&, const std::string& place);
/// A line of a shot with the planner's timing. The speaker must be a character of the film with a voice of the world.
[[nodiscard]] plan::Line line_of(const plan::Film&, const plan::Shot&, const std::string& speaker, const std::string& text, const World&,
                                 const PhonesFunction&);
/// The ambience of a place: that of the weather, or "crickets" at night outdoors, if the world has it; else the place's own.
[[nodiscard]] std::string ambience_of(const World::Place&, const std::string& time, const std::string& weather, const World&);
/// The position of the index-th prop of a shot: next to a lead who is alone (at position `lead`), otherwise in the middle; the second prop
/// goes to the other side.
[[nodiscard]] std::string prop_position(const World&, std::size_t roles, const std::string& lead, std::size_t index);
/// The world's first voice for actors at even indices, its second for odd ones.
[[nodiscard]] std::string default_voice(const std::string& actor, const World&);
/// The time of day of a prompt that gives none.
[[nodiscard]] std::string default_time(const World&);
/// The first of `names` that is not `removed`; the first of all if all are.
[[nodiscard]] std::string first_but(const std::vector<std::string>& names, const std::vector<std::string>& removed);
/// Who, where and when, where a story does not say: the first actor that it names, else the world's first; the world's first place; day.
/// None that the story rules out.
[[nodiscard]] std::string lead_of(const Story&, const World&);
[[nodiscard]] std::string place_of(const Story&, const World&);
[[nodiscard]] std::string time_of(const Story&, const World&);

}  // namespace fabula::oracle
