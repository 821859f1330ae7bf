// Unicode as the tokenizer needs it. Wraps utf8proc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fabula {

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view text);

/// Canonical composition (NFC). Throws Error(bad_data) if the text is not UTF-8.
[[nodiscard]] std::string nfc(std::string_view text);

/// The classes that the tokenizer's split pattern distinguishes: \p{L}, \p{N}, \r or \n, other white space (\s), the rest.
enum class CharKind : std::uint8_t { letter, number, newline, space, other };

[[nodiscard]] CharKind kind_of(std::int32_t code);

struct Character {
  CharKind kind = CharKind::other;
  std::int32_t code = 0;
  std::size_t bytes = 1;
};

/// The character that starts at byte `at`. A byte that starts no character counts as one of kind `other`.
[[nodiscard]] Character character_at(std::string_view text, std::size_t at);

/// Length in bytes of the complete, well-formed characters at the start of `text`. Sets `broken` to the number of bytes after them that can
/// never become a character: 0 at the end of the text, or if the last character is merely cut short.
[[nodiscard]] std::size_t well_formed_prefix(std::string_view text, std::size_t& broken);

}  // namespace fabula
