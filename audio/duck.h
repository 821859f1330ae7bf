// A bed that gives way to dialogue.
#pragma once

#include <cstddef>

#include "engine/clip_model.h"
#include "engine/plan.h"

namespace fabula {

/// dialogue + bed, both of this shot of the film and of one format, the bed `depth_db` lower while somebody speaks: the plan's lines say
/// when. It goes down within the 150 ms before a line and comes back within 400 ms after it. As long as the longer one.
[[nodiscard]] Sound ducked(const Sound& dialogue, const Sound& bed, const plan::Film&, std::size_t shot, double depth_db);

}  // namespace fabula
