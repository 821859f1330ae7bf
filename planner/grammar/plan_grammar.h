// The plan as a token stream (docs/BUNDLE.md, "The planner's token stream").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/scribe.h"

namespace fabula {

/// Tokens [begin, end) of the stream.
struct TokenSpan {
  std::size_t begin = 0, end = 0;
};

/// Where the entries of a plan lie in its stream.
struct PlanSpans {
  std::vector<TokenSpan> characters, places, shots;  ///< in the plan's order
  std::vector<TokenSpan> scores;                     ///< of each shot, the markers excluded
  std::vector<std::vector<ScoreSound>> sounds;       ///< of each shot: one a token of its score
};

/// "<|im_start|>user", the text, and the start of the answer.
void write_user_turn(Scribe&, std::string_view text);

/// Where a stream is not the bundle's own (docs/BUNDLE.md).
struct StreamForm {
  std::span<const std::int32_t> opening =
      {};             ///< all tokens before the plan, which film.prompt is among; empty: the prompt in the bundle's form
  bool score = true;  ///< whether each shot is followed by its score
};

/// Writes film.prompt and the plan. A Composer fills in all but the prompt; a Follower reads everything. The film's names must be the
/// world's (plan::check) when it is followed.
PlanSpans write_plan(Scribe&, plan::Film&, const World&, const PhonesFunction&, const StreamForm& = {});

}  // namespace fabula
