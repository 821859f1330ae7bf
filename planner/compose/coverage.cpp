// Compares a prompt's words with the world's and with the plan's `unsupported`.
#include "planner/compose/coverage.h"

#include <algorithm>

#include "planner/schema/caps.h"
#include "planner/text/spans.h"
#include "planner/text/text.h"

namespace fabula {
namespace {

// Whether one letter is missing, doubled or exchanged with its neighbour. A different letter is no slip: "falls" is not "calls".
bool is_slip_of(std::string_view typed, std::string_view word) {
  if (word.size() < 5 || typed.size() + 1 < word.size() || typed.size() > word.size() + 1) return false;
  const auto same = static_cast<std::size_t>(
      std::mismatch(typed.begin(), typed.begin() + static_cast<std::ptrdiff_t>(std::min(typed.size(), word.size())), word.begin()).first -
      typed.begin());
  const std::string_view a = typed.substr(same), b = word.substr(same);
  if (a.size() + 1 == b.size()) return a == b.substr(1);
  if (a.size() == b.size() + 1) return a.substr(1) == b && same > 0 && a[0] == typed[same - 1];
  return a.size() >= 2 && a[0] == b[1] && a[1] == b[0] && a.substr(2) == b.substr(2);
}

bool is_plain(const std::string& word, const std::vector<std::string>& plain) {
  const auto known = [&](std::string_view w) { return std::find(plain.begin(), plain.end(), w) != plain.end(); };
  const auto without = [&](std::string_view ending) {
    return word.size() > ending.size() + 2 && word.ends_with(ending) &&
           known(std::string_view(word).substr(0, word.size() - ending.size()));
  };
  return known(word) || without("'s") || without("s") || without("es") ||
         std::any_of(plain.begin(), plain.end(), [&](const std::string& w) { return is_slip_of(word, w); });
}

// Marks every occurrence of `part`.
void cover(std::vector<bool>& covered, std::string_view text, std::string_view part) {
  for (std::size_t at = part.empty() ? std::string_view::npos : text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(at), part.size(), true);
  }
}

// Words in double quotes are spoken, even if the plan has no room for all of them.
void cover_quotes(std::vector<bool>& covered, std::string_view text) {
  for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"\"", "\""}, {"\u201c", "\u201d"}}) {
    for (std::size_t begin = text.find(open); begin != std::string_view::npos;) {
      const std::size_t end = text.find(close, begin + open.size());
      if (end == std::string_view::npos) break;
      std::fill(covered.begin() + static_cast<std::ptrdiff_t>(begin), covered.begin() + static_cast<std::ptrdiff_t>(end), true);
      begin = text.find(open, end + close.size());
    }
  }
}

}  // namespace

bool is_within(std::string_view span, const World& world) {
  const std::vector<TextSpan> words = words_of(span);
  return !world.plain_words.empty() && std::all_of(words.begin(), words.end(), [&](const TextSpan& word) {
    return is_plain(lowercase(word.of(span)), world.plain_words);
  });
}

std::vector<std::string> left_out(const plan::Film& film, const World& world) {
  if (world.plain_words.empty()) return {};
  const std::string& prompt = film.prompt;
  std::vector<bool> covered(prompt.size(), false);
  cover_quotes(covered, prompt);
  for (const plan::Shot& shot : film.shots) {
    for (const plan::Line& line : shot.dialogue) cover(covered, prompt, line.text);
  }
  for (const std::string& span : film.unsupported) cover(covered, prompt, span);

  std::vector<TextSpan> runs;
  for (const TextSpan& word : words_of(prompt)) {
    if (covered[word.begin] || is_plain(lowercase(word.of(prompt)), world.plain_words)) continue;
    const bool joins = !runs.empty() && runs.back().end + 1 == word.begin && prompt[runs.back().end] == ' ' &&
                       word.end - runs.back().begin <= PlanCaps::unsupported;
    if (joins)
      runs.back().end = word.end;
    else
      runs.push_back(word);
  }
  std::vector<std::string> spans;
  for (const TextSpan& run : runs) {
    std::string span(run.of(prompt));
    if (span.size() <= PlanCaps::unsupported && std::find(spans.begin(), spans.end(), span) == spans.end())
      spans.push_back(std::move(span));
  }
  return spans;
}

void name_left_out(plan::Film& film, const World& world) {
  std::erase_if(film.unsupported, [&](const std::string& span) { return is_within(span, world); });
  for (std::string& span : left_out(film, world)) {  // what the model ignored
    if (film.unsupported.size() < PlanCaps::unsupported_count) film.unsupported.push_back(std::move(span));
  }
}

}  // namespace fabula
