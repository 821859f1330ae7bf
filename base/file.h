// Reads whole files. What is written goes through base/output_file.h.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace fabula {

/// Limit for files that people or libraries write by hand: configurations, worlds, indexes.
constexpr std::size_t largest_text_file = std::size_t{64} << 20U;

/// All bytes of `file`. `what` describes it in errors, for example "the plan"; may be empty.
/// Throws Error: input_missing if it cannot be opened or is a folder, io if reading fails, bad_data if it has more than `most_bytes` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& file, std::size_t most_bytes = largest_text_file,
                                    std::string_view what = {});

/// All bytes of standard input, up to its end. Throws as read_file does.
[[nodiscard]] std::string read_standard_input(std::size_t most_bytes, std::string_view what);

}  // namespace fabula
