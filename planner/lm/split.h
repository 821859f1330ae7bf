// How Qwen's tokenizers cut a text into words before merging bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// The pattern that split_words follows, as tokenizer.json of Qwen2 and Qwen3 spells it.
inline constexpr std::string_view qwen_split_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The matches of qwen_split_pattern in order; together they are the whole text. The views point into `text`.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

}  // namespace fabula
