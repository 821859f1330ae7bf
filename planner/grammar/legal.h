// The legal values of a field, and the tokens that keep a value legal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/grammar/token_trie.h"

namespace fabula {

/// The characters of free text. ascii: printable, without " and \. utf8: also characters beyond ASCII. name: a-z, 0-9 and _, a letter
/// first.
enum class Alphabet : std::uint8_t { ascii, utf8, name };

/// The tokens that consist of characters of an alphabet, by the number of bytes left.
class TextMasks {
 public:
  /// `tokens`: pairs (length in bytes, token).
  TextMasks(std::int32_t vocabulary, std::vector<std::pair<std::size_t, std::int32_t>> tokens);
  /// The tokens of at most `bytes` bytes.
  [[nodiscard]] const TokenMask& within(std::size_t bytes) const;

 private:
  std::vector<std::size_t> lengths_;  // ascending; lengths_[i] is the longest in masks_[i]
  std::vector<TokenMask> masks_;
};

/// A vocabulary prepared for masks. Added tokens are in no mask. Refers to the tokenizer, which must outlive it.
struct TokenTable {
  explicit TokenTable(const Tokenizer& tokenizer);

  std::int32_t vocabulary;
  TokenTrie trie;
  TextMasks ascii, utf8, name, name_start;
};

/// Non-negative integers, both ends included.
struct NumberRange {
  std::int64_t low, high;
};

/// The set of legal values: a list of strings, number ranges, or free text.
class Legal {
 public:
  static Legal one_of(std::vector<std::string> values);
  /// Text of 1 to `cap` bytes that is none of `taken`.
  static Legal text(std::size_t cap, Alphabet alphabet = Alphabet::ascii, std::vector<std::string> taken = {});
  /// A decimal without leading zeros in one of the ranges; empty ranges are ignored.
  static Legal number(std::vector<NumberRange> ranges);

  /// Whether `written` is a legal value.
  [[nodiscard]] bool complete(const std::string& written) const;
  /// Sets `allowed` to the tokens after which `written` is still a prefix of a legal value.
  void next(const std::string& written, const TokenTable& table, TokenMask& allowed) const;
  [[nodiscard]] bool none() const { return kind_ == Kind::number ? ranges_.empty() : kind_ == Kind::one_of && values_.empty(); }
  [[nodiscard]] bool is_text() const { return kind_ == Kind::text; }

 private:
  enum class Kind : std::uint8_t { one_of, text, number };
  explicit Legal(Kind kind) : kind_(kind) {}

  Kind kind_;
  Alphabet alphabet_ = Alphabet::ascii;
  std::size_t cap_ = 0;
  std::vector<std::string> values_;  // sorted; for text: those taken
  std::vector<NumberRange> ranges_;
};

}  // namespace fabula
