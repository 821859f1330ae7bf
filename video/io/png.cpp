// Frames as PNG files.
#include <zlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "video/io/boxes.h"
#include "video/io/images.h"
#include "video/io/sequence.h"

namespace fabula {
namespace {

constexpr std::size_t behind_header = 8 + 25;  // the signature and IHDR

// A chunk of international text (PNG, 11.3.4.5), not compressed.
std::string text_chunk(const std::string& keyword, const std::string& text) {
  const std::string body = "iTXt" + keyword + std::string(5, '\0') + text;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(body.size() - 4, 4) + body + big_endian(crc, 4);
}

}  // namespace

void write_png_frame(const std::filesystem::path& file, const Image& image, const FrameNote& note) {
  std::vector<std::uint8_t> bytes = png_of(image);
  if (note.labels) {
    const std::string text = text_chunk("XML:com.adobe.xmp", xmp_of(*note.labels)) + text_chunk("AIGC", aigc_of(*note.labels));
    bytes.insert(bytes.begin() + behind_header, text.begin(), text.end());
  }
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  out.close();
  if (!out) throw Error(ExitCode::io, "the frame " + file.filename().string() + " could not be written");
}

}  // namespace fabula
