// Qwen's split pattern, one function per alternative.
#include "planner/lm/split.h"

#include <algorithm>
#include <array>

#include "planner/text/unicode.h"

namespace fabula {
namespace {

using Characters = std::vector<Character>;

// Each rule returns the end (a character index) of its match at `at`, or `at` if it does not match.

// Upper and lower case; U+017F (long s) folds to s.
std::int32_t folded(std::int32_t code) {
  if (code >= 'A' && code <= 'Z') return code - 'A' + 'a';
  return code == 0x17F ? 's' : code;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)
std::size_t contraction(const Characters& text, std::size_t at) {
  constexpr std::array<std::string_view, 7> endings = {"s", "t", "re", "ve", "m", "ll", "d"};
  if (text[at].code != '\'') return at;
  for (const std::string_view ending : endings) {
    std::size_t same = 0;
    while (same < ending.size() && at + 1 + same < text.size() && folded(text[at + 1 + same].code) == ending[same]) ++same;
    if (same == ending.size()) return at + 1 + same;
  }
  return at;
}

template <typename Wanted>
std::size_t run(const Characters& text, std::size_t at, Wanted wanted) {
  while (at < text.size() && wanted(text[at].kind)) ++at;
  return at;
}

bool is_letter(CharKind kind) { return kind == CharKind::letter; }
bool is_other(CharKind kind) { return kind == CharKind::other; }
bool is_newline(CharKind kind) { return kind == CharKind::newline; }
bool is_white(CharKind kind) { return kind == CharKind::space || kind == CharKind::newline; }

// [^\r\n\p{L}\p{N}]?\p{L}+
std::size_t letters(const Characters& text, std::size_t at) {
  const CharKind first = text[at].kind;
  const std::size_t start = first == CharKind::space || first == CharKind::other ? at + 1 : at;
  const std::size_t end = run(text, start, is_letter);
  return end > start ? end : at;
}

//  ?[^\s\p{L}\p{N}]+[\r\n]*
std::size_t symbols(const Characters& text, std::size_t at) {
  const std::size_t start = text[at].code == ' ' ? at + 1 : at;
  const std::size_t end = run(text, start, is_other);
  return end > start ? run(text, end, is_newline) : at;
}

// \s*[\r\n]+|\s+(?!\S)|\s+
std::size_t white(const Characters& text, std::size_t at) {
  const std::size_t end = run(text, at, is_white);
  for (std::size_t i = end; i > at; --i) {
    if (text[i - 1].kind == CharKind::newline) return i;
  }
  const bool before_a_word = end < text.size();
  return before_a_word && end - at > 1 ? end - 1 : end;
}

std::size_t word_end(const Characters& text, std::size_t at) {
  for (const auto rule : {contraction, letters}) {
    if (const std::size_t end = rule(text, at); end > at) return end;
  }
  if (text[at].kind == CharKind::number) return at + 1;
  if (const std::size_t end = symbols(text, at); end > at) return end;
  return white(text, at);
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
  Characters characters;
  for (std::size_t at = 0; at < text.size(); at += characters.back().bytes) characters.push_back(character_at(text, at));
  std::vector<std::string_view> words;
  std::size_t byte = 0;
  for (std::size_t at = 0; at < characters.size();) {
    const std::size_t end = word_end(characters, at);
    std::size_t bytes = 0;
    for (; at < end; ++at) bytes += characters[at].bytes;
    words.push_back(text.substr(byte, bytes));
    byte += bytes;
  }
  return words;
}

}  // namespace fabula
