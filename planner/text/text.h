// Text from strangers: its case, and how to make it safe for a prompt or a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// By Unicode's general categories Ll and Lu.
[[nodiscard]] bool is_lowercase(std::int32_t code);
[[nodiscard]] bool is_uppercase(std::int32_t code);
/// Simple case mapping. `text` is UTF-8.
[[nodiscard]] std::string lowercase(std::string_view text);
/// Letters without their accents, signs without their styles: "é" becomes "e", "ﬁ" becomes "fi". `text` is UTF-8; what is not stays.
[[nodiscard]] std::string without_accents(std::string_view text);
/// Without white space (ASCII) at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// "fox, crab, whale"
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

/// Turns any bytes into words that are safe between the quotation marks of a prompt. The result is UTF-8 in which every character is a
/// letter, a number, a mark on one of these, one space between words, one of . , ; : ! ? - ( ) or an apostrophe between two letters. So it
/// holds no special token (all of them need < | >), no quotation mark, backslash, line break, control, zero-width or direction character.
/// At most `most_bytes` long, cut at a character boundary.
[[nodiscard]] std::string prompt_words(std::string_view text, std::size_t most_bytes);

/// Turns any bytes into one line that is safe on a terminal: line breaks and tabs become spaces; control, invisible and direction
/// characters and broken UTF-8 become U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace fabula
