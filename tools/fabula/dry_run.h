// What a film would take, without making it.
#pragma once

#include <string>

#include "library/film_size.h"
#include "library/render.h"
#include "tools/fabula/render_options.h"

namespace fabula::cli {

/// Prints the plan, the paths, the shots to make and to reuse, and what memory, disk and time the film takes; as JSON with --json. To say
/// the time it makes one step of one shot and throws it away. Writes nothing. Throws Error: out_of_memory, cannot_create where the film
/// cannot fit.
void print_dry_run(const RenderOptions&, Studio&, const PlannedFilm&, const FilmRequest&, const std::string& output, const SinkOptions&);

}  // namespace fabula::cli
