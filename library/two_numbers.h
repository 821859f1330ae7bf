// Sizes and shapes as people write them.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace fabula {

/// "1920x1080" or "16:9" -> its two numbers, nothing before, between or behind them but `between`; none for anything else.
template <typename Number>
[[nodiscard]] std::optional<std::pair<Number, Number>> two_numbers(std::string_view text, char between) {
  std::pair<Number, Number> numbers;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, numbers.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != between) return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, numbers.second);
  return second.ec == std::errc() && second.ptr == end ? std::optional(numbers) : std::nullopt;
}

}  // namespace fabula
