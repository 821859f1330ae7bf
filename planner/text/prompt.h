// What counts as a prompt.
#pragma once

#include <string>
#include <string_view>

namespace fabula {

constexpr std::size_t longest_prompt = 4000;  ///< bytes

/// The prompt as the planner sees it: in NFC, trimmed. Throws Error: usage if nothing is left, bad_data if it is not UTF-8 or longer than
/// longest_prompt.
[[nodiscard]] std::string prepare_prompt(std::string_view prompt);

/// Why a prompt is unusable, as the end of a sentence ("is empty"); empty if it is usable.
[[nodiscard]] std::string prompt_fault(std::string_view prompt);

}  // namespace fabula
