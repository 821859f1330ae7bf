// A guess at what a text goes on with, by look-up in the text itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace fabula {

/// The tokens, at most `most`, that followed the longest earlier occurrence of the text's ending, the latest of equally long ones. Empty where the
/// last `shortest` tokens have not occurred before. (Saxena 2023, prompt lookup decoding; Yang et al. 2023.)
[[nodiscard]] inline std::span<const std::int32_t> look_up(std::span<const std::int32_t> text, std::size_t shortest, std::size_t most) {
  constexpr std::size_t longest = 32;  // more agreement than that says no more
  std::size_t best = 0, best_end = 0;
  for (std::size_t end = text.size(); end-- > 1 && best < longest;) {
    std::size_t same = 0;
    while (same < std::min(end, longest) && text[end - 1 - same] == text[text.size() - 1 - same]) ++same;
    if (same > best) best = same, best_end = end;
  }
  if (best < std::max<std::size_t>(1, shortest)) return {};
  return text.subspan(best_end, std::min(most, text.size() - best_end));
}

}  // namespace fabula
