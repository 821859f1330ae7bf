// The chunks of a PNG (ISO/IEC 15948); the picture itself is not decoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabula::cast {

struct PngChunk {
  std::string type;  ///< four letters
  std::string data;
};

[[nodiscard]] bool is_png(std::string_view bytes);

/// The chunks from IHDR to IEND; ignores anything after IEND. Throws Error(bad_data) for a truncated file, a wrong checksum, a type that is
/// not four letters, a first chunk other than IHDR, and a missing IDAT.
[[nodiscard]] std::vector<PngChunk> read_png(std::string_view bytes);
[[nodiscard]] std::string write_png(const std::vector<PngChunk>&);

/// A tEXt chunk; the keyword has 1 to 79 bytes.
[[nodiscard]] PngChunk text_chunk(std::string_view keyword, std::string_view text);
/// Whether it is a tEXt chunk with this keyword; if so, sets `text`.
[[nodiscard]] bool is_text_chunk(const PngChunk&, std::string_view keyword, std::string_view& text);

}  // namespace fabula::cast
