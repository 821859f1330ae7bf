// How long it takes to speak a text.
#pragma once

#include <cstddef>
#include <string>

namespace fabula::plan {

/// At least, in ms; below 1 for a short word. pace: slow, fast, or anything else for a normal one.
[[nodiscard]] int spoken_ms(const std::string& text, const std::string& language, const std::string& pace);
/// How many letters can be spoken in `ms`.
[[nodiscard]] std::size_t letters_in(int ms, const std::string& language, const std::string& pace);

}  // namespace fabula::plan
