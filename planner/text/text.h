// Text that strangers wrote: its case, and how it may stand in a prompt or on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// Unicode's own answers (general categories Ll and Lu; simple case mapping).
[[nodiscard]] bool is_lowercase(std::int32_t code);
[[nodiscard]] bool is_uppercase(std::int32_t code);
/// `text` is UTF-8.
[[nodiscard]] std::string lowercase(std::string_view text);
/// Without white space (ASCII) at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// "fox, crab, whale"
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

/// Any bytes, as words that may stand between the quotation marks of a prompt: whoever wrote them, they stay words. The result is UTF-8 in
/// which every character is a letter, a number, a mark on one of these, one space between words, one of  . , ; : ! ? - ( )  or an
/// apostrophe between two letters. So it holds no special token (all of them need < | >), no quotation mark, backslash, line break,
/// control, zero-width or direction character. At most `most_bytes` long, cut at a character.
[[nodiscard]] std::string prompt_words(std::string_view text, std::size_t most_bytes);

/// Any bytes, as one line that a terminal may show: line breaks and tabs become spaces; controls, invisible and direction characters and
/// what is not UTF-8 become U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace fabula
