#include "planner/grammar/legal.h"

#include <algorithm>
#include <utility>

namespace fabula {
namespace {

bool is_free_text(char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; }

bool is_solid(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  const char c = text[at];
  return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_word_byte(std::string_view text, std::size_t at) {
  if (is_solid(text, at)) return true;
  return at > 0 && at < text.size() && (text[at] == '\'' || text[at] == '-') && is_solid(text, at - 1) && is_solid(text, at + 1);
}

bool may_be_inside(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

void sort_once(auto& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

TokenTable::TokenTable(const Tokenizer& tokenizer) {
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string& bytes = tokenizer.bytes(id);
    if (tokenizer.is_added(id) || bytes.empty()) continue;
    by_bytes.emplace(bytes, id);
    longest = std::max(longest, bytes.size());
    if (std::all_of(bytes.begin(), bytes.end(), is_free_text)) printable.push_back({id, bytes.size()});
  }
}

Legal Legal::one_of(std::vector<std::string> values) {
  Legal legal;
  legal.values_ = std::move(values);
  sort_once(legal.values_);
  return legal;
}

Legal Legal::text(std::size_t cap) {
  Legal legal;
  legal.free_ = true;
  legal.cap_ = cap;
  return legal;
}

bool Legal::complete(const std::string& written) const {
  return free_ ? !written.empty() : std::binary_search(values_.begin(), values_.end(), written);
}

std::vector<std::int32_t> Legal::next(const std::string& written, const TokenTable& table) const {
  std::vector<std::int32_t> tokens;
  if (free_) {
    for (const TokenTable::Printable& token : table.printable) {
      if (written.size() + token.bytes <= cap_) tokens.push_back(token.id);
    }
    return tokens;
  }
  // Values with this prefix stand together; every way to go on with one of them that is a token.
  for (auto value = std::lower_bound(values_.begin(), values_.end(), written); value != values_.end() && value->starts_with(written); ++value) {
    const std::string_view rest = std::string_view(*value).substr(written.size());
    for (std::size_t bytes = 1; bytes <= std::min(rest.size(), table.longest); ++bytes) {
      const auto token = table.by_bytes.find(rest.substr(0, bytes));
      if (token != table.by_bytes.end()) tokens.push_back(token->second);
    }
  }
  sort_once(tokens);
  return tokens;
}

std::vector<std::string> legal_spans(std::string_view prompt, std::size_t cap) {
  std::vector<std::pair<std::size_t, std::size_t>> words;  // begin, end
  for (std::size_t at = 0; at < prompt.size(); ++at) {
    if (!is_word_byte(prompt, at)) continue;
    const std::size_t begin = at;
    while (is_word_byte(prompt, at)) ++at;
    words.emplace_back(begin, at);
  }
  std::vector<std::string> spans;
  for (std::size_t first = 0; first < words.size(); ++first) {
    const std::size_t begin = words[first].first;
    for (std::size_t last = first; last < words.size(); ++last) {
      const std::string_view span = prompt.substr(begin, words[last].second - begin);
      if (span.size() > cap || !std::all_of(span.begin(), span.end(), may_be_inside)) break;
      spans.emplace_back(span);
      const std::size_t end = words[last].second;
      const bool called = end < prompt.size() && (prompt[end] == '!' || prompt[end] == '?');
      if (called && span.size() < cap) spans.emplace_back(prompt.substr(begin, span.size() + 1));
    }
  }
  sort_once(spans);
  return spans;
}

}  // namespace fabula
