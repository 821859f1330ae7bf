// A published checkpoint directs a film: a language model that was never taught the plan, under its grammar.
#pragma once

#include <string>

#include "engine/machine.h"
#include "engine/planner.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/token_choice.h"
#include "planner/lm/checkpoint.h"
#include "planner/lm/picture.h"

namespace fabula {

struct PublishedOptions {
  Precision precision;
  Machine machine;
  Planner::Progress progress = nullptr;
  Sampling sampling = {};
};

/// The plan that a checkpoint's model writes for a prompt, and for a picture if there is one, of what `world` can film. It is valid
/// whatever the model is worth. Throws Error as prepare_prompt, Weights::open and patches_of do; usage for a picture where the model has no
/// vision tower; bad_data where prompt and plan do not fit its context; interrupted when `progress` says so. A larger picture than 1024 ·
/// 1024 pixels is read at about that size.
[[nodiscard]] plan::Film write_film(const Checkpoint&, const World& world, const std::string& prompt, const Picture* picture,
                                    const PhonesFunction&, const PublishedOptions&);

/// The same of any film that the schema can say (FilmProgram): for a person, an editor, or a larger model of pictures.
[[nodiscard]] plan::Film write_any_film(const Checkpoint&, const std::string& prompt, const Picture* picture, const PublishedOptions&);

}  // namespace fabula
