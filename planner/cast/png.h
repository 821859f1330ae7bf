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
/// The keyword of a tEXt, zTXt or iTXt chunk, in small letters; empty for other chunks.
[[nodiscard]] std::string keyword_of(const PngChunk&);
/// The text of such a chunk, unpacked. Throws Error(bad_data) for one that is damaged or unpacks to more than `most_bytes`.
[[nodiscard]] std::string text_of(const PngChunk&, std::size_t most_bytes);

}  // namespace fabula::cast
