// Strips Fountain's emphasis marks.
#include <algorithm>
#include <array>

#include "planner/screenplay/screenplay.h"

namespace fabula::screenplay {
namespace {

bool is_mark(char c) { return c == '*' || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t'; }
// A byte of a word of any alphabet.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// A run of equal marks that may still open emphasis; `left` of them have no partner yet.
struct Run {
  std::size_t at, left;
};

// Each run first closes open ones and opens with the rest. Every step uses up marks or drops a run, so the time is linear.
void strip_line(std::string_view line, std::string& out) {
  std::string gone(line.size(), '\0');  // 1: this byte is removed
  std::array<std::vector<Run>, 2> open;
  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    if (c == '\\' && at + 1 < line.size() && (is_mark(line[at + 1]) || line[at + 1] == '\\')) {
      gone[at] = 1;
      at += 2;
      continue;
    }
    if (!is_mark(c)) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && line[end] == c) ++end;
    const bool at_begin = at == 0, at_end = end == line.size();
    // An underscore inside a word belongs to the word.
    const bool can_open = !at_end && !is_space(line[end]) && (c == '*' || at_begin || !is_word(line[at - 1]));
    const bool can_close = !at_begin && !is_space(line[at - 1]) && (c == '*' || at_end || !is_word(line[end]));
    std::vector<Run>& runs = open[c == '*' ? 0 : 1];
    std::size_t spent = 0;
    while (can_close && !runs.empty() && at + spent < end) {
      Run& opener = runs.back();
      const std::size_t pairs = std::min(opener.left, end - at - spent);
      std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(opener.at + opener.left - pairs), pairs, '\1');
      std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(at + spent), pairs, '\1');
      opener.left -= pairs;
      spent += pairs;
      if (opener.left == 0) runs.pop_back();
    }
    if (can_open && at + spent < end) runs.push_back({at + spent, end - at - spent});
    at = end;
  }
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (gone[at] == 0) out += line[at];
  }
}

}  // namespace

std::string strip_emphasis(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    strip_line(text.substr(0, end), out);
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace fabula::screenplay
