// Computes token masks for lists of strings, numbers and free text.
#include "planner/grammar/legal.h"

#include <algorithm>
#include <limits>

#include "planner/text/unicode.h"

namespace fabula {
namespace {

bool is_free_text(char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; }

void sort_once(auto& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

TextMasks::TextMasks(std::int32_t vocabulary, std::vector<std::pair<std::size_t, std::int32_t>> tokens) : masks_{TokenMask(vocabulary)} {
  lengths_.push_back(0);
  std::sort(tokens.begin(), tokens.end());
  for (const auto& [bytes, token] : tokens) {
    if (bytes != lengths_.back()) {
      lengths_.push_back(bytes);
      masks_.push_back(masks_.back());
    }
    masks_.back().add(token);
  }
}

const TokenMask& TextMasks::within(std::size_t bytes) const {
  const auto beyond = std::upper_bound(lengths_.begin(), lengths_.end(), bytes);
  return masks_[static_cast<std::size_t>(beyond - lengths_.begin()) - 1];
}

namespace {

TextMasks masks_of(const Tokenizer& tokenizer, const auto& fits) {
  std::vector<std::pair<std::size_t, std::int32_t>> tokens;
  for (std::int32_t token = 0; token < tokenizer.size(); ++token) {
    const std::string& bytes = tokenizer.bytes(token);
    if (!tokenizer.is_added(token) && !bytes.empty() && fits(bytes)) tokens.emplace_back(bytes.size(), token);
  }
  return {tokenizer.size(), std::move(tokens)};
}

bool is_ascii_text(const std::string& bytes) { return std::all_of(bytes.begin(), bytes.end(), is_free_text); }

bool is_whole_text(const std::string& bytes) {
  const auto fits = [](char c) { return static_cast<unsigned char>(c) >= 0x80 || is_free_text(c); };
  return std::all_of(bytes.begin(), bytes.end(), fits) && is_utf8(bytes);
}

bool is_name_text(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool starts_name(const std::string& bytes) { return is_name_text(bytes) && bytes[0] >= 'a'; }

// Adds the tokens that continue some of values [from, to), which share the first `depth` bytes that led to this node.
void add_ways(const std::vector<std::string>& values, std::size_t from, std::size_t to, std::size_t depth, const TokenTrie& trie,
              std::uint32_t node, TokenMask& allowed) {
  while (from < to && values[from].size() == depth) ++from;
  while (from < to) {
    const char byte = values[from][depth];
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(from), last = values.begin() + static_cast<std::ptrdiff_t>(to);
    const auto end = static_cast<std::size_t>(
        std::partition_point(begin, last, [&](const std::string& value) { return value[depth] == byte; }) - values.begin());
    if (const std::uint32_t child = trie.child(node, byte); child != TokenTrie::none) {
      if (trie.token(child) >= 0) allowed.add(trie.token(child));
      add_ways(values, from, end, depth + 1, trie, child, allowed);
    }
    from = end;
  }
}

// Whether `value`, or `value` with more digits appended, is in a range.
bool leads_into(std::int64_t value, const std::vector<NumberRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [value](const NumberRange& range) {
    std::int64_t low = value, high = value;
    while (high < range.low && value != 0) {  // no digit may follow a leading zero
      low *= 10, high = high * 10 + 9;
      if (low > range.high) return false;
    }
    return low <= range.high && high >= range.low;
  });
}

// Adds the tokens of digits that continue `value` (`begun`: it has digits already) towards a number in the ranges.
void add_digits(std::int64_t value, bool begun, const std::vector<NumberRange>& ranges, const TokenTrie& trie, std::uint32_t node,
                TokenMask& allowed) {
  if (begun && value == 0) return;
  for (char digit = '0'; digit <= '9'; ++digit) {
    const std::uint32_t child = trie.child(node, digit);
    if (child == TokenTrie::none || value > std::numeric_limits<std::int64_t>::max() / 10 - 1) continue;
    const std::int64_t longer = value * 10 + (digit - '0');
    if (!leads_into(longer, ranges)) continue;
    if (trie.token(child) >= 0) allowed.add(trie.token(child));
    add_digits(longer, true, ranges, trie, child, allowed);
  }
}

std::int64_t number_of(const std::string& digits) {
  std::int64_t value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

}  // namespace

TokenTable::TokenTable(const Tokenizer& tokenizer)
    : vocabulary(tokenizer.size()),
      trie(tokenizer),
      ascii(masks_of(tokenizer, is_ascii_text)),
      utf8(masks_of(tokenizer, is_whole_text)),
      name(masks_of(tokenizer, is_name_text)),
      name_start(masks_of(tokenizer, starts_name)) {}

Legal Legal::one_of(std::vector<std::string> values) {
  Legal legal(Kind::one_of);
  legal.values_ = std::move(values);
  sort_once(legal.values_);
  return legal;
}

Legal Legal::text(std::size_t cap, Alphabet alphabet, std::vector<std::string> taken) {
  Legal legal(Kind::text);
  legal.cap_ = cap;
  legal.alphabet_ = alphabet;
  legal.values_ = std::move(taken);
  sort_once(legal.values_);
  return legal;
}

Legal Legal::number(std::vector<NumberRange> ranges) {
  Legal legal(Kind::number);
  std::erase_if(ranges, [](const NumberRange& range) { return range.low > range.high; });
  legal.ranges_ = std::move(ranges);
  return legal;
}

bool Legal::complete(const std::string& written) const {
  if (kind_ == Kind::number) {
    const std::int64_t value = number_of(written);
    return !written.empty() && std::any_of(ranges_.begin(), ranges_.end(),
                                           [value](const NumberRange& range) { return value >= range.low && value <= range.high; });
  }
  const bool listed = std::binary_search(values_.begin(), values_.end(), written);
  return kind_ == Kind::one_of ? listed : !written.empty() && !listed;
}

void Legal::next(const std::string& written, const TokenTable& table, TokenMask& allowed) const {
  // Values with this prefix are adjacent.
  const auto begin = std::lower_bound(values_.begin(), values_.end(), written);
  const auto end = std::partition_point(begin, values_.end(), [&](const std::string& value) { return value.starts_with(written); });
  if (kind_ == Kind::text) {
    const TextMasks& masks = alphabet_ == Alphabet::ascii  ? table.ascii
                             : alphabet_ == Alphabet::utf8 ? table.utf8
                             : written.empty()             ? table.name_start
                                                           : table.name;
    allowed = masks.within(cap_ - std::min(cap_, written.size()));
    for (auto taken = begin; taken != end; ++taken) {  // a taken value at the cap cannot be continued
      if (taken->size() != cap_) continue;
      std::uint32_t node = TokenTrie::root;
      for (std::size_t i = written.size(); i < cap_ && (i == written.size() || node != TokenTrie::none); ++i)
        node = table.trie.child(node, (*taken)[i]);
      if (node != TokenTrie::none && table.trie.token(node) >= 0) allowed.remove(table.trie.token(node));
    }
    return;
  }
  allowed.clear();
  if (kind_ == Kind::number) return add_digits(number_of(written), !written.empty(), ranges_, table.trie, TokenTrie::root, allowed);
  const auto from = static_cast<std::size_t>(begin - values_.begin()), to = static_cast<std::size_t>(end - values_.begin());
  add_ways(values_, from, to, written.size(), table.trie, TokenTrie::root, allowed);
}

}  // namespace fabula
