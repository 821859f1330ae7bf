// The Exif comment of a WebP picture, in which the first character cards came.
#pragma once

#include <string>
#include <string_view>

namespace fabula::cast {

[[nodiscard]] bool is_webp(std::string_view bytes);

/// The UserComment of the picture's Exif data (RIFF container; Exif 2.32, 4.6.5). Throws Error(bad_data) where there is none.
[[nodiscard]] std::string webp_comment(std::string_view bytes);

}  // namespace fabula::cast
