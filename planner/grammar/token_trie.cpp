// Builds the trie of a vocabulary.
#include "planner/grammar/token_trie.h"

#include <algorithm>
#include <string_view>

namespace fabula {
namespace {

struct Spelling {
  std::string_view bytes;
  std::int32_t token;
};

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer) {
  std::vector<Spelling> spellings;
  for (std::int32_t token = 0; token < tokenizer.size(); ++token) {
    if (!tokenizer.is_added(token) && !tokenizer.bytes(token).empty()) spellings.push_back({tokenizer.bytes(token), token});
  }
  // Of tokens with one spelling the first is taken: not the byte, which stands in for what the vocabulary lacks.
  std::stable_sort(spellings.begin(), spellings.end(), [&](const Spelling& a, const Spelling& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : tokenizer.is_byte(a.token) < tokenizer.is_byte(b.token);
  });

  // Level by level: a node is a range of spellings that share their first `depth` bytes; its children are appended together.
  struct Range {
    std::size_t begin, end;
  };
  nodes_.emplace_back();
  std::vector<Range> level = {{0, spellings.size()}}, below;
  for (std::size_t node = 0, depth = 0; !level.empty(); ++depth, level.swap(below)) {
    below.clear();
    for (auto [at, end] : level) {
      if (depth > 0 && spellings[at].bytes.size() == depth) nodes_[node].token = spellings[at].token;
      while (at < end && spellings[at].bytes.size() == depth) ++at;
      nodes_[node].first_child = static_cast<std::uint32_t>(nodes_.size());
      while (at < end) {
        const std::size_t begin = at;
        const char byte = spellings[at].bytes[depth];
        while (at < end && spellings[at].bytes[depth] == byte) ++at;
        nodes_.push_back({.byte = static_cast<std::uint8_t>(byte)});
        below.push_back({begin, at});
      }
      nodes_[node].children = static_cast<std::uint16_t>(nodes_.size() - nodes_[node].first_child);
      ++node;
    }
  }
}

std::uint32_t TokenTrie::child(std::uint32_t node, char byte) const {
  if (nodes_[node].children == 0) return none;
  const auto begin = nodes_.begin() + nodes_[node].first_child, end = begin + nodes_[node].children;
  const auto wanted = static_cast<std::uint8_t>(byte);
  const auto found = std::lower_bound(begin, end, wanted, [](const Node& n, std::uint8_t b) { return n.byte < b; });
  return found != end && found->byte == wanted ? static_cast<std::uint32_t>(found - nodes_.begin()) : none;
}

}  // namespace fabula
