// Base64 (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

namespace fabula::cast {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Line breaks are skipped and the padding may be missing; anything else that is not base64 gives false.
[[nodiscard]] bool from_base64(std::string_view text, std::string& bytes);

}  // namespace fabula::cast
