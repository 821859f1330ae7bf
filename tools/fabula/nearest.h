// Suggests the name that a mistyped one was meant to be.
#pragma once

#include <span>
#include <string>

namespace fabula::cli {

/// The candidate fewest keystrokes away from `word`, or "" if none is near. A swap of two neighbours counts as one keystroke.
[[nodiscard]] std::string nearest(const std::string& word, std::span<const std::string> candidates);

}  // namespace fabula::cli
