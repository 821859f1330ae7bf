// A spoken line as the pieces that shots have time for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fabula::oracle {

/// The words of a line, whole and in order, cut into pieces of at most `most_bytes` bytes, one per shot; the last carries the line's ! or
/// ?. A number is never cut; digits count as the letters they are spoken with, so that a piece with a number is shorter. A word that alone
/// is too long is a piece of its own if it has at most `most_bytes` bytes; a longer one is dropped. Inner double quotes become single ones,
/// because a plan's stream has no escapes. Empty if the line has no word that the world's voices can speak (a letter or digit of ASCII).
[[nodiscard]] std::vector<std::string> pieces_of(std::string_view line, std::size_t most_bytes);

}  // namespace fabula::oracle
