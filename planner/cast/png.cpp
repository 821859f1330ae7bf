// Reads and writes the chunks of a PNG.
#include "planner/cast/png.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "planner/text/text.h"

namespace fabula::cast {
namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
constexpr std::size_t frame = 12;  // length, type and checksum of a chunk
constexpr std::size_t most_chunks = 65536;
constexpr std::size_t deepest_deflate = 1032;  // nothing that zlib has packed is longer than this many times its packed size

[[noreturn]] void refuse(const std::string& what) { throw Error(ExitCode::bad_data, "the PNG file " + what); }

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (const char c : four) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

void put_big_endian(std::string& out, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(value >> shift & 255U);
}

std::uint32_t checksum(std::string_view type_and_data) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(type_and_data.data()), static_cast<uInt>(type_and_data.size())));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

bool is_png(std::string_view bytes) { return bytes.starts_with(signature); }

std::vector<PngChunk> read_png(std::string_view bytes) {
  if (!is_png(bytes)) refuse("does not begin as one");
  std::vector<PngChunk> chunks;
  bool has_picture = false;
  for (std::size_t at = signature.size();;) {
    const std::string_view rest = bytes.substr(at);
    if (rest.size() < frame) refuse("is cut short");
    const std::size_t length = big_endian(rest.substr(0, 4));
    if (length > rest.size() - frame) refuse("is cut short");
    const std::string_view type = rest.substr(4, 4);
    if (!std::all_of(type.begin(), type.end(), is_letter)) refuse("has a damaged chunk");
    if (big_endian(rest.substr(8 + length, 4)) != checksum(rest.substr(4, 4 + length)))
      refuse("is damaged: the checksum of " + std::string(type) + " is wrong");
    if (chunks.empty() && (type != "IHDR" || length != 13)) refuse("does not begin with its header");
    if (chunks.size() == most_chunks) refuse("has more than " + std::to_string(most_chunks) + " chunks");
    has_picture = has_picture || type == "IDAT";
    chunks.push_back({std::string(type), std::string(rest.substr(8, length))});
    at += frame + length;
    if (type == "IEND") break;
  }
  if (!has_picture) refuse("has no picture in it");
  return chunks;
}

std::string write_png(const std::vector<PngChunk>& chunks) {
  std::string bytes(signature);
  for (const PngChunk& chunk : chunks) {
    const std::string body = chunk.type + chunk.data;
    put_big_endian(bytes, static_cast<std::uint32_t>(chunk.data.size()));
    bytes += body;
    put_big_endian(bytes, checksum(body));
  }
  return bytes;
}

PngChunk text_chunk(std::string_view keyword, std::string_view text) { return {"tEXt", std::string(keyword) + '\0' + std::string(text)}; }

std::string keyword_of(const PngChunk& chunk) {
  const bool is_text = chunk.type == "tEXt" || chunk.type == "zTXt" || chunk.type == "iTXt";
  const std::size_t end = chunk.data.find('\0');
  return is_text && end != std::string::npos ? lowercase(chunk.data.substr(0, end)) : "";
}

std::string text_of(const PngChunk& chunk, std::size_t most_bytes) {
  std::string_view rest = chunk.data;
  const auto skip = [&](std::size_t bytes) {
    if (bytes > rest.size()) refuse("has a damaged text");
    rest.remove_prefix(bytes);
  };
  const auto skip_string = [&] { skip(rest.find('\0') == std::string_view::npos ? rest.size() + 1 : rest.find('\0') + 1); };
  skip_string();  // the keyword
  bool is_packed = chunk.type == "zTXt";
  if (chunk.type == "zTXt") skip(1);  // the method, of which there is one
  if (chunk.type == "iTXt") {
    is_packed = !rest.empty() && rest[0] == '\1';
    skip(2);
    skip_string();  // the language
    skip_string();  // the keyword in that language
  }
  if (!is_packed) return std::string(rest);
  // One byte more than allowed shows that there is more.
  std::string text(std::min(most_bytes, rest.size() * deepest_deflate) + 1, '\0');
  auto length = static_cast<uLongf>(text.size());
  if (uncompress(reinterpret_cast<Bytef*>(text.data()), &length, reinterpret_cast<const Bytef*>(rest.data()), rest.size()) != Z_OK ||
      length > most_bytes)
    refuse("has a packed text that is damaged or too long");
  text.resize(length);
  return text;
}

}  // namespace fabula::cast
