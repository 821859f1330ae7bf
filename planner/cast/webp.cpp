// Walks a WebP's chunks and the two tags of its Exif data that lead to the comment.
#include "planner/cast/webp.h"

#include <cstdint>

#include "base/error.h"

namespace fabula::cast {
namespace {

[[noreturn]] void refuse() { throw Error(ExitCode::bad_data, "the picture has no character card in it"); }

std::string_view slice(std::string_view bytes, std::size_t at, std::size_t length) {
  if (at > bytes.size() || length > bytes.size() - at) refuse();
  return bytes.substr(at, length);
}

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t width, bool is_little) {
  const std::string_view digits = slice(bytes, at, width);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8U | static_cast<unsigned char>(digits[is_little ? width - 1 - i : i]);
  return value;
}

std::string_view exif_of(std::string_view webp) {
  constexpr std::size_t header = 12, chunk_header = 8;
  for (std::size_t at = header; at + chunk_header <= webp.size();) {
    const std::size_t length = number(webp, at + 4, 4, true);
    if (webp.substr(at, 4) == "EXIF") {
      std::string_view exif = slice(webp, at + chunk_header, length);
      if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
      return exif;
    }
    at += chunk_header + length + length % 2;
  }
  refuse();
}

struct Tag {
  std::uint32_t count, value;  // value: where the bytes are, or the number itself
};

// The tag with this number in the directory at `at`.
Tag tag_at(std::string_view tiff, std::size_t at, std::uint32_t wanted, bool is_little) {
  constexpr std::size_t entry_size = 12;
  const std::size_t entries = number(tiff, at, 2, is_little);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = at + 2 + i * entry_size;
    if (number(tiff, entry, 2, is_little) == wanted) return {number(tiff, entry + 4, 4, is_little), number(tiff, entry + 8, 4, is_little)};
  }
  refuse();
}

}  // namespace

bool is_webp(std::string_view bytes) { return bytes.starts_with("RIFF") && bytes.size() > 12 && bytes.substr(8, 4) == "WEBP"; }

std::string webp_comment(std::string_view bytes) {
  constexpr std::uint32_t exif_directory = 0x8769, user_comment = 0x9286;
  constexpr std::size_t code = 8;  // the name of the comment's character set
  const std::string_view tiff = exif_of(bytes);
  const bool is_little = tiff.starts_with("II");
  const Tag exif = tag_at(tiff, number(tiff, 4, 4, is_little), exif_directory, is_little);
  const Tag comment = tag_at(tiff, exif.value, user_comment, is_little);
  std::string_view text = slice(tiff, comment.value, comment.count);
  if (text.size() > code && (text.starts_with("ASCII") || text.starts_with("UNICODE") || text[0] == '\0')) text.remove_prefix(code);
  return std::string(text.substr(0, text.find_last_not_of('\0') + 1));
}

}  // namespace fabula::cast
