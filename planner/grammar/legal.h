// What a value of the plan may be, and which tokens keep it so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "planner/lm/tokenizer.h"

namespace fabula {

/// The tokens of a vocabulary by what they say. Added tokens are in neither table. Refers to the tokenizer, which must outlive it.
struct TokenTable {
  struct Printable {
    std::int32_t id;
    std::size_t bytes;
  };
  explicit TokenTable(const Tokenizer& tokenizer);

  std::unordered_map<std::string_view, std::int32_t> by_bytes;
  std::vector<Printable> printable;  ///< of characters that free text may hold
  std::size_t longest = 0;           ///< bytes
};

/// One of some strings, or free text: printable ASCII without " and \, at least one byte, at most `cap`.
class Legal {
 public:
  static Legal one_of(std::vector<std::string> values);
  static Legal text(std::size_t cap);

  /// Whether `written` is a value.
  [[nodiscard]] bool complete(const std::string& written) const;
  /// The tokens that keep `written` a prefix of some value; ascending.
  [[nodiscard]] std::vector<std::int32_t> next(const std::string& written, const TokenTable& table) const;
  [[nodiscard]] bool is_text() const { return free_; }
  [[nodiscard]] bool none() const { return !free_ && values_.empty(); }

 private:
  std::vector<std::string> values_;  // sorted
  bool free_ = false;
  std::size_t cap_ = 0;
};

/// Bytes [begin, end) of a text.
struct TextSpan {
  std::size_t begin, end;
  [[nodiscard]] std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

/// The words of a UTF-8 text, in order. A word byte is an ASCII letter or digit, a byte of a character beyond ASCII (but for signs: U+0080…U+00BF,
/// U+2000…U+207F), or ' or - between two of these.
[[nodiscard]] std::vector<TextSpan> words_of(std::string_view text);

/// The spans of a prompt that a plan may copy, each at most `cap` bytes: a span starts where a word starts, ends where a word ends or with the ! or ?
/// right after it, and holds no ", \ or control character. Sorted, each once.
[[nodiscard]] std::vector<std::string> legal_spans(std::string_view prompt, std::size_t cap);

}  // namespace fabula
