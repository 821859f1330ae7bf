// What a prompt may be.
#pragma once

#include <string>
#include <string_view>

namespace fabula {

constexpr std::size_t longest_prompt = 4000;  ///< bytes

/// The prompt as the planner sees it: in NFC, without white space around it. Throws Error: usage when nothing is left, bad_data when it is
/// not UTF-8 or longer than longest_prompt.
[[nodiscard]] std::string prepare_prompt(std::string_view prompt);

/// Why a prompt cannot be used, as the end of a sentence ("is empty"); empty when it can.
[[nodiscard]] std::string prompt_fault(std::string_view prompt);

}  // namespace fabula
