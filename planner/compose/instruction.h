// The system turn for a model that was not trained on plans.
#pragma once

#include <string>
#include <string_view>

#include "engine/score.h"
#include "engine/world.h"
#include "planner/grammar/film_program.h"

namespace fabula {

/// For a film of a world: what to write, in which order, with which actors, places and actions, and one example. The grammar allows nothing
/// else anyway, but a model that knows the choices makes better ones. About 5 KB.
[[nodiscard]] std::string instruction(const World&, const Tokenizer&, const PhonesFunction&);
/// For any film: the keys that the program writes, in its order, and one example. About 3 KB.
[[nodiscard]] std::string instruction(const FilmProgram&);
/// The example in it: a plan in the program's order, without the prompt.
[[nodiscard]] std::string_view example_of_any_film();

}  // namespace fabula
