#include "planner/grammar/legal.h"

#include <algorithm>

namespace fabula {
namespace {

bool is_free_text(char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; }

bool is_ascii_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// For each byte of a UTF-8 text whether it belongs to an ASCII letter or digit, or to a character beyond ASCII that is no sign.
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

// For each byte whether it is one of a word: solid, or ' or - between two solid ones.
std::vector<bool> word_bytes(std::string_view text) {
  const std::vector<bool> solid = solid_bytes(text);
  std::vector<bool> word = solid;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if ((text[i] == '\'' || text[i] == '-') && solid[i - 1] && solid[i + 1]) word[i] = true;
  }
  return word;
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
