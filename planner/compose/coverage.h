// What a prompt asks for and a plan does not take up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"

namespace fabula {

/// Whether the world has a word for each word of a span: then naming it as unsupported is a mistake of the model's. False where the world
/// lists no plain words.
[[nodiscard]] bool is_within(std::string_view span, const World& world);

/// Runs of words of film.prompt that the world has no word for (World::plain_words) and that are neither said aloud nor named in
/// film.unsupported, in the prompt's order, each once and at most PlanCaps::unsupported bytes long. A language model forgets to name some;
/// this does not. Empty where the world lists no plain words. Pure function.
[[nodiscard]] std::vector<std::string> left_out(const plan::Film& film, const World& world);

/// film.unsupported as a plan says it: without what is_within(), and with what left_out() finds, PlanCaps::unsupported_count in all.
void name_left_out(plan::Film& film, const World& world);

}  // namespace fabula
