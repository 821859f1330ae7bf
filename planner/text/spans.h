// The words of a text, and the spans of a prompt that a plan may copy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// Bytes [begin, end) of a text.
struct TextSpan {
  std::size_t begin, end;
  [[nodiscard]] std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

/// The words of a UTF-8 text, in order. A word consists of ASCII letters and digits, characters beyond ASCII (except signs: U+0080…U+00BF,
/// U+2000…U+207F), the signs ' ’ - between two of these, and those of a number: "1,000", "7:30", "$5", "50%".
[[nodiscard]] std::vector<TextSpan> words_of(std::string_view text);

/// The spans of a prompt that a plan may copy, each at most `cap` bytes: a span starts where a word starts, ends where a word ends or with
/// the ! or ? right after it, and holds no ", \ or control character. Sorted, each once.
[[nodiscard]] std::vector<std::string> legal_spans(std::string_view prompt, std::size_t cap);

}  // namespace fabula
