// How fast texts are spoken.
#pragma once

#include <cstddef>
#include <string>

#include "engine/plan.h"

namespace fabula::plan {

/// The least time in ms that it takes to speak a text; 0 or less for a short word. `pace`: slow, fast, anything else is normal.
[[nodiscard]] int spoken_ms(const std::string& text, const std::string& language, const std::string& pace);
/// How many letters can be spoken in `ms`.
[[nodiscard]] std::size_t letters_in(int ms, const std::string& language, const std::string& pace);

/// The pace of a character's voice; empty if the film gives none or does not declare the speaker.
[[nodiscard]] std::string pace_of(const Film&, const std::string& speaker);

}  // namespace fabula::plan
