// The planner of a bundle: its language model under the plan's grammar.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/context.h"
#include "engine/planner.h"
#include "engine/score.h"
#include "engine/world.h"

namespace fabula {

/// Reads fabula.json, world.json and planner/ of a bundle. `phones` says how a line sounds (audio/phonemes.h). Throws Error as Bundle::open,
/// World::open, Tokenizer::open and Weights::open do. The planner is for one thread at a time; it computes with `threads` of its own.
/// `names`: what prompts may call the world's actors beside their own words.
[[nodiscard]] std::unique_ptr<Planner> load_planner(const std::filesystem::path& bundle, Precision, int threads, PhonesFunction phones, const std::vector<ActorName>& names = {});

}  // namespace fabula
