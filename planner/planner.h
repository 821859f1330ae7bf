// The planner of a bundle: its language model under the plan's grammar.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/context.h"
#include "engine/planner.h"
#include "engine/score.h"
#include "planner/lm/decoding_stats.h"

namespace fabula {

/// A planner that is a language model. What it has read it keeps between calls: only what differs is read in the next one.
class LanguagePlanner : public Planner {
 public:
  /// How the last film's text came about.
  [[nodiscard]] virtual const DecodingStats& stats() const = 0;
};

/// Reads fabula.json, world.json and planner/ of a bundle. `phones` says how a line sounds (audio/phonemes.h). Throws Error as Bundle::open,
/// World::open, Tokenizer::open and Weights::open do. The planner is for one thread at a time; it computes with `threads` of its own.
[[nodiscard]] std::unique_ptr<LanguagePlanner> load_planner(const std::filesystem::path& bundle, Precision, int threads, PhonesFunction phones);

}  // namespace fabula
