// Splits a text into words as Qwen's tokenizers do before merging bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// The pattern that split_words implements, as in tokenizer.json of Qwen2 and Qwen3.
inline constexpr std::string_view qwen_split_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The matches of qwen_split_pattern in order; together they cover the whole text. The views point into `text`.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

}  // namespace fabula
