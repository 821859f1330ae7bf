// Plans films with a published checkpoint: a language model that was not trained on plans, under their grammar.
#pragma once

#include <string>

#include "engine/machine.h"
#include "engine/planner.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/token_choice.h"
#include "planner/lm/checkpoint.h"
#include "planner/lm/picture.h"
#include "planner/oracle/filmable.h"

namespace fabula {

struct PublishedOptions {
  Precision precision;
  Machine machine;
  Planner::Progress progress = nullptr;
  Sampling sampling = {};
  oracle::Leniency leniency = {};  ///< towards prompts of which little or nothing can be shown
  int shots = 0;                   ///< of a film; 0: what its prompt asks for, else what the model likes
};

/// Plans a film that `world` can make from a prompt and, optionally, a picture: the plan is checked against the prompt and repaired like a
/// bundle's (plan_with_repairs), so it is valid and shows what the prompt clearly says however weak the model is. No states are kept.
/// Throws Error like prepare_prompt, require_filmable (without a picture), Weights::open and patches_of; usage for a picture if the model
/// has no vision tower; bad_data if prompt and plan exceed its context; interrupted if `progress` returns false. A picture larger than 1024
/// · 1024 pixels is scaled down to about that size.
[[nodiscard]] PlannedFilm plan_film(const Checkpoint&, const World& world, const std::string& prompt, const Picture* picture,
                                    const PhonesFunction&, const PublishedOptions&);

/// Plans any film that the schema can describe (FilmProgram): for a person, an editor, or a larger video model.
[[nodiscard]] plan::Film plan_any_film(const Checkpoint&, const std::string& prompt, const Picture* picture, const PublishedOptions&);

}  // namespace fabula
