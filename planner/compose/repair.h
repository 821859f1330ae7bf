// A plan that cannot stand goes back to the model with what is wrong with it, word for word; after two such rounds the rules plan
// (planner/oracle/oracle.h).
#pragma once

#include <string>
#include <vector>

#include "engine/planner.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/scribe.h"
#include "planner/oracle/story.h"
#include "planner/schema/finding.h"

namespace fabula {

constexpr int most_repair_rounds = 2;

/// What a story says clearly and a film does not show: a named actor, their action and mood, where, when, in which weather, beside which
/// things, a line. By the rule "prompt-event", at the path "shots".
[[nodiscard]] std::vector<plan::Finding> missed_events(const plan::Film&, const oracle::Story&, const World&);

/// All that keeps a composed plan from standing: the validator's errors, and the clear events of its prompt that it misses.
[[nodiscard]] std::vector<plan::Finding> faults_of(const plan::Film&, const World&);

/// What the model is told: "PATH: sentence", a line a finding.
[[nodiscard]] std::string repair_turn(const std::vector<plan::Finding>&);

/// What a model says of a vocabulary: the tokenizer and its table.
struct Vocabulary {
  const Tokenizer& tokenizer;
  const TokenTable& table;
};

struct Composed {
  plan::Film film;
  Origin origin;
  std::vector<std::int32_t> read;  ///< all that the model has read, in order: the rounds one after the other
};

/// Composes a plan for a prompt. A plan with faults is followed by a further user turn in the prompt's own form, and the model composes
/// anew, most_repair_rounds times at most. `most_tokens`: how long a stream the model can read; where a further round would not fit, the
/// rules plan at once. `sampling`: how words are chosen, anew from the seed in each round.
[[nodiscard]] Composed compose(const std::string& prompt, const World&, const Vocabulary&, const Composer::NextLogits&,
                               const PhonesFunction&, std::size_t most_tokens, const Sampling& sampling = {});

}  // namespace fabula
