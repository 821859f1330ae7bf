// Walks and writes boxes.
#include "video/io/boxes.h"

#include "base/error.h"

namespace fabula {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> 8U * static_cast<unsigned>(i) & 255U);
  return text;
}

std::string box(std::string_view type, std::string_view content) {
  return big_endian(content.size() + 8, 4) + std::string(type) + std::string(content);
}

std::vector<Box> boxes_in(std::ifstream& in, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t header = 8, long_header = 16;
  std::vector<Box> boxes;
  for (std::uint64_t at = begin; at + header <= end;) {
    std::string bytes(long_header, '\0');
    in.clear();
    in.seekg(static_cast<std::streamoff>(at));
    in.read(bytes.data(), static_cast<std::streamsize>(std::min(long_header, end - at)));
    std::uint64_t size = big_endian(std::string_view(bytes).substr(0, 4));
    const bool is_long = size == 1;
    if (is_long) size = big_endian(std::string_view(bytes).substr(header));
    if (size == 0) size = end - at;  // to the end
    const std::uint64_t content = is_long ? long_header : header;
    if (!in || size < content || size > end - at) break;
    boxes.push_back({bytes.substr(4, 4), at, at + content, at + size});
    at += size;
  }
  return boxes;
}

std::vector<Box> boxes_of(const std::filesystem::path& file) {
  std::error_code failed;
  const std::uintmax_t size = std::filesystem::file_size(file, failed);
  std::ifstream in(file, std::ios::binary);
  return failed || !in ? std::vector<Box>{} : boxes_in(in, 0, size);
}

std::string bytes_between(const std::filesystem::path& file, std::uint64_t begin, std::uint64_t end) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes(end - begin, '\0');
  in.seekg(static_cast<std::streamoff>(begin));
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in) throw Error(ExitCode::bad_data, file.string() + " ended before its time");
  return bytes;
}

}  // namespace fabula
