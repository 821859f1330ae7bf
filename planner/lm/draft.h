// A guess at what a text goes on with, from what was read before: the prompt, the text so far, and the texts before it.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace fabula {

/// What followed the last few tokens when they were met before (prompt look-up, Saxena 2023; n-gram drafts). One thread at a time.
class Drafter {
 public:
  /// Remembers what text[first …] followed. Memory: at most about 64 MB, then it begins anew.
  void learn(std::span<const std::int32_t> text, std::size_t first);

  /// At most `most` tokens that may follow the text. A token is drafted if it followed the last 4 tokens the last `evidence` times they
  /// were met, or where these are new, the last 2 tokens.
  [[nodiscard]] std::vector<std::int32_t> draft(std::span<const std::int32_t> text, std::size_t most, std::uint32_t evidence) const;

 private:
  struct Next {
    std::int32_t token = -1;
    std::uint32_t times = 0;  // in a row
  };
  std::unordered_map<std::uint64_t, Next> next_;  // by a hash of the tokens before; a draft is verified, so a collision costs time alone
};

}  // namespace fabula
