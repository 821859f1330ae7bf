// The planner of a bundle: its language model under the plan's grammar.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>

#include "base/error.h"
#include "engine/machine.h"
#include "engine/planner.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/token_choice.h"
#include "planner/lm/decoding_stats.h"

namespace fabula {

struct PlannerOptions {
  Sampling sampling = {};             ///< how words are chosen; every plan starts anew from its seed
  std::vector<ActorName> names = {};  ///< what prompts may call the world's actors beside their own words
};

struct BatchOptions {
  int plans = 8;                  ///< at once
  std::int64_t cache_tokens = 0;  ///< that the model's cache holds, of all plans together; 0: 1024 a plan, at least what one text may take
};

/// What became of one prompt of many.
struct BatchResult {
  std::size_t prompt = 0;
  std::variant<Direction, Error> outcome;
  DecodingStats stats;
};

/// A planner that is a language model. What it has read it keeps between calls: only what differs is read in the next one.
class LanguagePlanner : public Planner {
 public:
  /// How the last film's text came about.
  [[nodiscard]] virtual const DecodingStats& stats() const = 0;

  /// Writes plans for many prompts, several at once, in common passes of the model; each is what direct() makes of its prompt. A prompt
  /// that fails stops no other. `receive` gets the results as they come, one at a time; `progress` is asked from several threads. Throws
  /// what `receive` throws.
  virtual void direct_all(std::span<const std::string> prompts, const BatchOptions&, const Progress& progress,
                          const std::function<void(BatchResult)>& receive) = 0;
  /// Bytes of the cache that direct_all works with.
  [[nodiscard]] virtual std::size_t cache_bytes(const BatchOptions&) const = 0;
};

/// Reads fabula.json, world.json and planner/ of a bundle. `phones` says how a line sounds (audio/phonemes.h). Throws Error as
/// Bundle::open, World::open, Tokenizer::open and Weights::open do. The planner is for one thread at a time.
[[nodiscard]] std::unique_ptr<LanguagePlanner> load_planner(const std::filesystem::path& bundle, Precision, const Machine&,
                                                            PhonesFunction phones, const PlannerOptions& = {});

}  // namespace fabula
