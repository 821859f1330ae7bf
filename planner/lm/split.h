// Splits a text into words as the tokenizers of published models do before merging bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// qwen: of Qwen2 and Qwen3. llama3: the same with up to three digits in a word. gpt2_digits: each digit alone, GPT-2's pattern between
/// them (SmolLM2).
enum class SplitPattern : std::uint8_t { qwen, llama3, gpt2_digits };

/// The patterns as tokenizer.json spells them.
inline constexpr std::string_view qwen_split_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

inline constexpr std::string_view llama3_split_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// Built into the step ByteLevel of the `tokenizers` library.
inline constexpr std::string_view gpt2_split_pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// The words in order; together they cover the whole text. The views point into `text`.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text, SplitPattern pattern = SplitPattern::qwen);

}  // namespace fabula
