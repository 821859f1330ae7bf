// Returns a faulty plan to the model with its faults in words; after two such rounds the rules plan instead (planner/oracle/oracle.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/planner.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/brief.h"
#include "planner/grammar/scribe.h"
#include "planner/oracle/story.h"
#include "planner/schema/finding.h"

namespace fabula {

constexpr int most_repair_rounds = 2;

/// What a story says clearly and a film does not show: a named actor, their action and mood, what a pronoun does that can mean nobody else,
/// place, time, weather, props or a line. Findings of the rule "prompt-event" at the path "shots".
[[nodiscard]] std::vector<plan::Finding> missed_events(const plan::Film&, const oracle::Story&, const World&);

/// Everything that a model must repair in its plan: the validator's errors, and clear events of the prompt that the plan misses.
[[nodiscard]] std::vector<plan::Finding> faults_of(const plan::Film&, const oracle::Story&, const World&);

/// Gives a film the title and the treatment of the rules' plan where its own names an actor or a place that neither the prompt names nor
/// the film shows: a small model repeats those of its example. Returns what was replaced, in a sentence for a person; empty: nothing.
[[nodiscard]] std::string retitle(plan::Film&, const plan::Film& by_rules, const World&);

/// The user turn that asks for a repair: one line "PATH: sentence" per finding.
[[nodiscard]] std::string repair_turn(const std::vector<plan::Finding>&);

/// A tokenizer and its table.
struct Vocabulary {
  const Tokenizer& tokenizer;
  const TokenTable& table;
};

/// A prompt, as it is understood.
struct Assignment {
  std::string prompt;
  oracle::Story story;
  Brief brief;
  plan::Film by_rules;  ///< the rules' plan; its `unsupported` is that of every plan of the prompt
};

/// Reads a prepared prompt. `shots`: as many shots; 0: what the prompt asks for.
[[nodiscard]] Assignment assignment_of(const std::string& prompt, const World&, const PhonesFunction&, int shots = 0);

struct RepairedPlan {
  plan::Film film;
  Origin origin;
  std::vector<std::int32_t> read;  ///< all tokens that the model has read, round by round
};

/// A conversation in which a model plans.
struct Conversation {
  std::vector<std::int32_t> opening;  ///< all tokens before the first plan, including the prompt
  /// What has the model write another plan, behind the end of one: a user turn with `text` and the opening of the answer.
  std::function<std::vector<std::int32_t>(const std::string& text)> turn;
  bool own = true;                       ///< StreamForm::own
  std::vector<std::int32_t> stops = {};  ///< Composer's
};
/// That of a bundle's planner (docs/BUNDLE.md).
[[nodiscard]] Conversation bundle_conversation(const Tokenizer&, const std::string& prompt);

/// Plans a film. A plan with faults is followed by another user turn, and the model writes a new
/// plan, at most most_repair_rounds times. `most_tokens`: the longest stream that the model can read; if another round does not fit, the
/// rules plan at once. `sampling` restarts from its seed in each round.
[[nodiscard]] RepairedPlan plan_with_repairs(const Assignment&, const World&, const Vocabulary&, const Composer::NextLogits&,
                                             const PhonesFunction&, std::size_t most_tokens, const Sampling& sampling,
                                             const Conversation& conversation);

}  // namespace fabula
