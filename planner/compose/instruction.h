// The system turn for a model that was not trained on plans.
#pragma once

#include <string>

#include "engine/world.h"
#include "planner/grammar/film_program.h"

namespace fabula {

/// For a film of a world: what to write, in which order, with which actors, places and actions. The grammar allows nothing else anyway, but
/// a model that knows the choices makes better ones. About 2 KB.
[[nodiscard]] std::string instruction(const World&);
/// For any film: the keys that the program writes, in its order. About 2 KB.
[[nodiscard]] std::string instruction(const FilmProgram&);

}  // namespace fabula
