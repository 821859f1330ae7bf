// What a model that was never taught the plan is told before the prompt.
#pragma once

#include <string>

#include "engine/world.h"
#include "planner/grammar/film_program.h"

namespace fabula {

/// The system turn for a published checkpoint: what to write, in which order, and of which actors, places and actions. The grammar allows
/// nothing else in any case; a model that is told makes better choices within it. About 2 KB.
[[nodiscard]] std::string instruction(const World&);
/// The same for any film: the keys that the program writes, in its order. About 2 KB.
[[nodiscard]] std::string instruction(const FilmProgram&);

}  // namespace fabula
