// A bundle's planner: its language model under the plan's grammar.
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
#include "planner/oracle/filmable.h"

namespace fabula {

struct PlannerOptions {
  Sampling sampling = {};             ///< how tokens are chosen; every plan restarts from the seed
  std::vector<ActorName> names = {};  ///< further names of the world's actors in prompts
  oracle::Leniency leniency = {};     ///< towards prompts of which little or nothing can be shown
  int shots = 0;                      ///< of a film; 0: what its prompt asks for, else what the planner likes
};

struct BatchOptions {
  int plans = 8;                  ///< in parallel
  std::int64_t cache_tokens = 0;  ///< tokens in the KV cache, shared by all plans. 0: 1024 per plan, but at least one full context
};

/// The outcome of one prompt of a batch.
struct BatchResult {
  std::size_t prompt = 0;
  std::variant<PlannedFilm, Error> outcome;
  DecodingStats stats;
};

/// A planner that is a language model. It keeps what it has read between calls: the next call reads only what differs.
class LanguagePlanner : public Planner {
 public:
  /// Statistics of the last call.
  [[nodiscard]] virtual const DecodingStats& stats() const = 0;

  /// Plans a film for each of many prompts, several in parallel, in shared passes of the model. Each result equals plan_film() of its
  /// prompt; a failure affects no other prompt. `receive` gets the results as they finish, one at a time; `progress` is called from several
  /// threads. Throws what `receive` throws.
  virtual void plan_all(std::span<const std::string> prompts, const BatchOptions&, const Progress& progress,
                        const std::function<void(BatchResult)>& receive) = 0;
  /// Bytes of the KV cache that plan_all allocates.
  [[nodiscard]] virtual std::size_t cache_bytes(const BatchOptions&) const = 0;
};

/// Reads fabula.json, world.json and planner/ of a bundle. `phones` gives the sounds of a line (audio/phonemes.h). Throws Error like
/// Bundle::open, World::open, Tokenizer::open and Weights::open. Use the planner from one thread at a time.
[[nodiscard]] std::unique_ptr<LanguagePlanner> load_planner(const std::filesystem::path& bundle, Precision, const Machine&,
                                                            PhonesFunction phones, const PlannerOptions& = {});

}  // namespace fabula
