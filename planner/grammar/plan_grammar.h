// The plan as a token stream (docs/BUNDLE.md, "The planner's token stream").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/brief.h"
#include "planner/grammar/scribe.h"

namespace fabula {

/// Tokens [begin, end) of the stream.
struct TokenSpan {
  std::size_t begin = 0, end = 0;
};

/// The token spans of a plan's entries in its stream.
struct PlanSpans {
  std::vector<TokenSpan> characters, places, shots;  ///< in plan order
  std::vector<TokenSpan> scores;                     ///< per shot, markers excluded
  std::vector<std::vector<ScoreSound>> sounds;       ///< per shot, one per token of its score
};

/// Writes "<|im_start|>user", the text, and the opening of the answer.
void write_user_turn(Scribe&, std::string_view text);

/// How a stream differs from the bundle's own (docs/BUNDLE.md).
struct StreamForm {
  std::span<const std::int32_t> opening =
      {};  ///< all tokens before the plan, including film.prompt; empty: the prompt in the bundle's form, if it is the bundle's own
  /// Not the bundle's own: that of a model that was not trained on plans. The treatment comes first, even before the version, because the
  /// model thinks in it; no score and no token for the end follow.
  bool own = true;
};

/// Writes film.prompt and the plan. A Composer fills in everything but the prompt, within the brief; its lines are spoken whole, in order
/// and by their speakers, as far as the longest film has shots for them. A Follower reads everything and heeds no brief. A film to be
/// followed must use the world's names (plan::check).
PlanSpans write_plan(Scribe&, plan::Film&, const World&, const PhonesFunction&, const Brief&, const StreamForm& = {});
/// Within an open brief.
PlanSpans write_plan(Scribe&, plan::Film&, const World&, const PhonesFunction&);

}  // namespace fabula
