// What a user should know once shots or a film are made.
#pragma once

#include <string>
#include <vector>

#include "library/render.h"

namespace fabula {

/// What a user should know about the shots, sentence by sentence.
[[nodiscard]] std::vector<std::string> shot_notes(const std::vector<ShotReport>&, const Studio&);
/// And about the whole film, which must have been written.
[[nodiscard]] std::vector<std::string> film_notes(const FilmInTheMaking&, const Studio&);

}  // namespace fabula
