// Base64 (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

namespace fabula::cast {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Skips line breaks and accepts missing padding. Returns false for anything else that is not base64.
[[nodiscard]] bool from_base64(std::string_view text, std::string& bytes);

}  // namespace fabula::cast
