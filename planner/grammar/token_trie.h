// A trie of a vocabulary's tokens by their bytes, and bit sets of tokens.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "planner/lm/tokenizer.h"

namespace fabula {

/// A set of tokens, one bit each.
class TokenMask {
 public:
  explicit TokenMask(std::int32_t vocabulary) : words_((static_cast<std::size_t>(vocabulary) + 63) / 64) {}

  void add(std::int32_t token) { words_[static_cast<std::size_t>(token) / 64] |= bit(token); }
  void remove(std::int32_t token) { words_[static_cast<std::size_t>(token) / 64] &= ~bit(token); }
  void clear() { words_.assign(words_.size(), 0); }
  [[nodiscard]] bool contains(std::int32_t token) const { return (words_[static_cast<std::size_t>(token) / 64] & bit(token)) != 0; }
  [[nodiscard]] std::size_t count() const {
    std::size_t tokens = 0;
    for (const std::uint64_t word : words_) tokens += static_cast<std::size_t>(std::popcount(word));
    return tokens;
  }
  /// The lowest token; -1 if the set is empty.
  [[nodiscard]] std::int32_t first() const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] != 0) return static_cast<std::int32_t>(64 * i) + std::countr_zero(words_[i]);
    }
    return -1;
  }
  /// Calls use(token) for each, ascending.
  void for_each(const auto& use) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) use(static_cast<std::int32_t>(64 * i) + std::countr_zero(word));
    }
  }

 private:
  static std::uint64_t bit(std::int32_t token) { return std::uint64_t{1} << (static_cast<std::size_t>(token) % 64); }
  std::vector<std::uint64_t> words_;
};

/// The bytes of all tokens except added ones. Nodes are numbers; the children of a node are adjacent, ordered by byte.
class TokenTrie {
 public:
  static constexpr std::uint32_t root = 0, none = 0;  // the root is no node's child

  explicit TokenTrie(const Tokenizer& tokenizer);

  /// The node that `byte` leads to, or none.
  [[nodiscard]] std::uint32_t child(std::uint32_t node, char byte) const;
  /// The token spelt by the path to this node; -1 if there is none.
  [[nodiscard]] std::int32_t token(std::uint32_t node) const { return nodes_[node].token; }

 private:
  struct Node {
    std::int32_t token = -1;
    std::uint32_t first_child = 0;
    std::uint16_t children = 0;
    std::uint8_t byte = 0;
  };
  std::vector<Node> nodes_;
};

}  // namespace fabula
