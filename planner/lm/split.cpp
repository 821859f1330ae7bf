// The split patterns, one function per alternative.
#include "planner/lm/split.h"

#include <algorithm>
#include <array>
#include <span>

#include "planner/text/unicode.h"

namespace fabula {
namespace {

using Characters = std::span<const Character>;

// Each rule returns the end (a character index) of its match at `at`, or `at` if it does not match.

// Upper and lower case; U+017F (long s) folds to s.
std::int32_t folded(std::int32_t code) {
  if (code >= 'A' && code <= 'Z') return code - 'A' + 'a';
  return code == 0x17F ? 's' : code;
}

// 's|'t|'re|'ve|'m|'ll|'d
std::size_t contraction_of(Characters text, std::size_t at, bool any_case) {
  constexpr std::array<std::string_view, 7> endings = {"s", "t", "re", "ve", "m", "ll", "d"};
  if (text[at].code != '\'') return at;
  for (const std::string_view ending : endings) {
    std::size_t same = 0;
    const auto code = [&](std::size_t i) { return any_case ? folded(text[i].code) : text[i].code; };
    while (same < ending.size() && at + 1 + same < text.size() && code(at + 1 + same) == ending[same]) ++same;
    if (same == ending.size()) return at + 1 + same;
  }
  return at;
}
std::size_t contraction(Characters text, std::size_t at) { return contraction_of(text, at, false); }
std::size_t contraction_in_any_case(Characters text, std::size_t at) { return contraction_of(text, at, true); }

template <typename Wanted>
std::size_t run(Characters text, std::size_t at, Wanted wanted) {
  while (at < text.size() && wanted(text[at].kind)) ++at;
  return at;
}

bool is_letter(CharKind kind) { return kind == CharKind::letter; }
bool is_number(CharKind kind) { return kind == CharKind::number; }
bool is_other(CharKind kind) { return kind == CharKind::other; }
bool is_newline(CharKind kind) { return kind == CharKind::newline; }
bool is_white(CharKind kind) { return kind == CharKind::space || kind == CharKind::newline; }

// [^\r\n\p{L}\p{N}]?\p{L}+
std::size_t letters(Characters text, std::size_t at) {
  const CharKind first = text[at].kind;
  const std::size_t start = first == CharKind::space || first == CharKind::other ? at + 1 : at;
  const std::size_t end = run(text, start, is_letter);
  return end > start ? end : at;
}

// One of `kind` and more, after an optional space.
template <typename Kind>
std::size_t spaced(Characters text, std::size_t at, Kind kind) {
  const std::size_t start = text[at].code == ' ' ? at + 1 : at;
  const std::size_t end = run(text, start, kind);
  return end > start ? end : at;
}
//  ?\p{L}+
std::size_t spaced_letters(Characters text, std::size_t at) { return spaced(text, at, is_letter); }
//  ?[^\s\p{L}\p{N}]+
std::size_t symbols(Characters text, std::size_t at) { return spaced(text, at, is_other); }
//  ?[^\s\p{L}\p{N}]+[\r\n]*
std::size_t symbols_and_lines(Characters text, std::size_t at) {
  const std::size_t end = symbols(text, at);
  return end > at ? run(text, end, is_newline) : at;
}

// \p{N} and \p{N}{1,3}
std::size_t digit(Characters text, std::size_t at) { return is_number(text[at].kind) ? at + 1 : at; }
std::size_t three_digits(Characters text, std::size_t at) { return std::min(run(text, at, is_number), at + 3); }

// \s+(?!\S)|\s+
std::size_t white(Characters text, std::size_t at) {
  const std::size_t end = run(text, at, is_white);
  const bool before_a_word = end < text.size();
  return before_a_word && end - at > 1 ? end - 1 : end;
}
// \s*[\r\n]+|\s+(?!\S)|\s+
std::size_t lines_and_white(Characters text, std::size_t at) {
  for (std::size_t i = run(text, at, is_white); i > at; --i) {
    if (text[i - 1].kind == CharKind::newline) return i;
  }
  return white(text, at);
}

using Rule = std::size_t (*)(Characters, std::size_t);
constexpr Rule qwen[] = {contraction_in_any_case, letters, digit, symbols_and_lines, lines_and_white};
constexpr Rule llama3[] = {contraction_in_any_case, letters, three_digits, symbols_and_lines, lines_and_white};
constexpr Rule gpt2[] = {contraction, spaced_letters, symbols, white};  // between digits

std::size_t word_end(Characters text, std::size_t at, std::span<const Rule> rules) {
  for (const Rule rule : rules) {
    if (const std::size_t end = rule(text, at); end > at) return end;
  }
  return at + 1;
}

// The digits are cut off first, so that the pattern sees the text before a digit as a text of its own.
std::size_t word_end_between_digits(Characters text, std::size_t at) {
  if (is_number(text[at].kind)) return at + 1;
  std::size_t piece = at;
  while (piece < text.size() && !is_number(text[piece].kind)) ++piece;
  return word_end(text.first(piece), at, gpt2);
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text, SplitPattern pattern) {
  std::vector<Character> characters;
  for (std::size_t at = 0; at < text.size(); at += characters.back().bytes) characters.push_back(character_at(text, at));
  std::vector<std::string_view> words;
  std::size_t byte = 0;
  for (std::size_t at = 0; at < characters.size();) {
    const std::size_t end = pattern == SplitPattern::gpt2_digits ? word_end_between_digits(characters, at)
                            : pattern == SplitPattern::llama3    ? word_end(characters, at, llama3)
                                                                 : word_end(characters, at, qwen);
    std::size_t bytes = 0;
    for (; at < end; ++at) bytes += characters[at].bytes;
    words.push_back(text.substr(byte, bytes));
    byte += bytes;
  }
  return words;
}

}  // namespace fabula
