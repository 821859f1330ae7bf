// Finds the words of a text and the spans of a prompt that a plan may copy.
#include "planner/text/spans.h"

#include <algorithm>

namespace fabula {
namespace {

void sort_once(std::vector<std::string>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool is_ascii_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// For each byte of a UTF-8 text: whether it belongs to an ASCII letter or digit, or to a character beyond ASCII that is no sign.
std::vector<bool> solid_bytes(std::string_view text) {
  std::vector<bool> solid;
  while (solid.size() < text.size()) {
    const std::string_view rest = text.substr(solid.size());
    const auto lead = static_cast<unsigned char>(rest[0]);
    const std::size_t width = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const bool is_sign = rest.starts_with("\xC2") || rest.starts_with("\xE2\x80") || rest.starts_with("\xE2\x81");
    solid.insert(solid.end(), std::min(width, rest.size()), lead >= 0x80 ? !is_sign : is_ascii_word(rest[0]));
  }
  return solid;
}

bool is_digit(std::string_view text, std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; }

// The width in bytes of a sign at `at` that belongs to a word: ' ’ or - between solid characters, a sign inside a number ("1,000", "7:30"),
// or one that is read with it ("$5", "£5", "50%"). 0: none does.
std::size_t joining_sign(std::string_view text, const std::vector<bool>& solid, std::size_t at) {
  const std::string_view rest = text.substr(at);
  const auto is_between = [&](std::size_t width) { return at > 0 && solid[at - 1] && at + width < text.size() && solid[at + width]; };
  if (rest[0] == '\'' || rest[0] == '-') return is_between(1) ? 1 : 0;
  if (rest.starts_with("\u2019")) return is_between(3) ? 3 : 0;
  const bool after_digit = at > 0 && is_digit(text, at - 1);
  if (std::string_view(",.:/").find(rest[0]) != std::string_view::npos) return after_digit && is_digit(text, at + 1) ? 1 : 0;
  if (rest[0] == '%') return after_digit ? 1 : 0;
  const std::size_t width = rest[0] == '$' ? 1 : rest.starts_with("\u00a3") ? 2 : 0;
  return is_digit(text, at + width) ? width : 0;
}

// For each byte: whether it belongs to a word, that is, is solid or a joining sign.
std::vector<bool> word_bytes(std::string_view text) {
  const std::vector<bool> solid = solid_bytes(text);
  std::vector<bool> word = solid;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!solid[i]) std::fill_n(word.begin() + static_cast<std::ptrdiff_t>(i), joining_sign(text, solid, i), true);
  }
  return word;
}

bool may_be_inside(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

}  // namespace

std::vector<TextSpan> words_of(std::string_view text) {
  const std::vector<bool> in_word = word_bytes(text);
  std::vector<TextSpan> words;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!in_word[at]) continue;
    const std::size_t begin = at;
    while (at < text.size() && in_word[at]) ++at;
    words.push_back({begin, at});
  }
  return words;
}

std::vector<std::string> legal_spans(std::string_view prompt, std::size_t cap) {
  const std::vector<TextSpan> words = words_of(prompt);
  std::vector<std::string> spans;
  for (std::size_t first = 0; first < words.size(); ++first) {
    const std::size_t begin = words[first].begin;
    for (std::size_t last = first; last < words.size(); ++last) {
      const std::string_view span = prompt.substr(begin, words[last].end - begin);
      if (span.size() > cap || !std::all_of(span.begin(), span.end(), may_be_inside)) break;
      spans.emplace_back(span);
      const std::size_t end = words[last].end;
      const bool called = end < prompt.size() && (prompt[end] == '!' || prompt[end] == '?');
      if (called && span.size() < cap) spans.emplace_back(prompt.substr(begin, span.size() + 1));
    }
  }
  sort_once(spans);
  return spans;
}

}  // namespace fabula
