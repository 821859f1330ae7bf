// Cuts a spoken line into pieces for shots: whole words, whole numbers, nothing dropped that can be spoken.
#include "planner/oracle/lines.h"

#include <algorithm>

#include "planner/text/spans.h"

namespace fabula::oracle {
namespace {

// The line on one line, with ' for an inner double quote, escaped or not.
std::string plain(std::string_view line) {
  std::string text;
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < 0x20) {
      if (!text.empty() && text.back() != ' ') text += ' ';
    } else if (c != '\\') {
      text += c == '"' ? '\'' : c;
    }
  }
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Its length when spoken, in bytes of text: "1,000" is "one thousand", "$5" is "five dollars".
std::size_t spoken_bytes(std::string_view text) {
  constexpr std::size_t more_per_digit = 4, more_per_sign = 6;
  const auto digits = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
  const auto signs = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return c == '$' || c == '%'; }));
  return text.size() + more_per_digit * digits + more_per_sign * signs;
}

bool can_be_spoken(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

std::vector<std::string> pieces_of(std::string_view line, std::size_t most_bytes) {
  const std::string text = plain(line);
  std::vector<TextSpan> words = words_of(text);
  if (std::none_of(words.begin(), words.end(), [&](const TextSpan& word) { return can_be_spoken(word.of(text)); })) return {};
  std::erase_if(words, [&](const TextSpan& word) { return word.end - word.begin > most_bytes; });
  std::vector<std::string> pieces;
  for (std::size_t first = 0; first < words.size();) {
    std::size_t next = first + 1;
    const auto fits = [&](std::size_t last) {
      const std::string_view piece = std::string_view(text).substr(words[first].begin, words[last].end - words[first].begin);
      return spoken_bytes(piece) <= most_bytes;
    };
    while (next < words.size() && fits(next)) ++next;
    std::size_t end = words[next - 1].end;
    while (end < text.size() && (text[end] == '!' || text[end] == '?') && end - words[first].begin < most_bytes) ++end;
    pieces.push_back(text.substr(words[first].begin, end - words[first].begin));
    first = next;
  }
  return pieces;
}

}  // namespace fabula::oracle
