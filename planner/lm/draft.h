// Drafts the next tokens of a text from earlier ones: the prompt, the text so far, and previous texts.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace fabula {

/// Drafts the tokens that followed the last few tokens before (prompt look-up, Saxena 2023; n-gram drafts). One thread at a time.
class Drafter {
 public:
  /// Remembers the contexts of text[first …]. Starts over once it holds about 64 MB.
  void learn(std::span<const std::int32_t> text, std::size_t first);

  /// Up to `most` tokens that may follow the text. Drafts a token if it followed the last 4 tokens the last `evidence` times they occurred;
  /// if these are new, the last 2 tokens count.
  [[nodiscard]] std::vector<std::int32_t> draft(std::span<const std::int32_t> text, std::size_t most, std::uint32_t evidence) const;

 private:
  struct Next {
    std::int32_t token = -1;
    std::uint32_t times = 0;  // in a row
  };
  std::unordered_map<std::uint64_t, Next> next_;  // by a hash of the preceding tokens; drafts are verified, so a collision only costs time
};

}  // namespace fabula
