// Finds what a prompt asks for and its plan ignores.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"

namespace fabula {

/// Whether the world has a word for each word of a span; if so, the model is wrong to call it unsupported. False if the world lists no
/// plain words.
[[nodiscard]] bool is_within(std::string_view span, const World& world);

/// Runs of words of film.prompt that are unknown to the world (World::plain_words), not spoken and not in film.unsupported, in the prompt's
/// order, each once and at most PlanCaps::unsupported bytes long. A language model forgets to name some of them. Empty if the world lists
/// no plain words. Pure function.
[[nodiscard]] std::vector<std::string> left_out(const plan::Film& film, const World& world);

/// Corrects film.unsupported: removes entries that are is_within() and adds what left_out() finds, up to PlanCaps::unsupported_count in
/// all.
void name_left_out(plan::Film& film, const World& world);

}  // namespace fabula
