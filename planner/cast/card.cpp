// Reads and writes the containers of a card: JSON, PNG, CHARX, WebP. card_json.cpp reads the JSON itself.
#include "planner/cast/card.h"

#include <algorithm>

#include "base/error.h"
#include "planner/cast/base64.h"
#include "planner/cast/png.h"
#include "planner/cast/webp.h"
#include "planner/cast/zip.h"
#include "planner/text/names.h"
#include "planner/text/text.h"

namespace fabula::cast {
namespace {

constexpr const char* json_name = "card.json";
constexpr const char* keywords[] = {"ccv3", "chara"};  // the newer first: it wins if both are present

bool is_card_chunk(const PngChunk& chunk) { return has({std::begin(keywords), std::end(keywords)}, keyword_of(chunk)); }

// Removes all card chunks.
std::vector<PngChunk> picture_of(std::vector<PngChunk> chunks) {
  std::erase_if(chunks, is_card_chunk);
  return chunks;
}

// The JSON of a text that holds it in base64, as the specification says, or as it is, as some programs write it.
std::string json_of(const std::string& text) {
  if (trimmed(text).starts_with('{')) return text;
  if (text.starts_with("rcc||"))
    throw Error(ExitCode::bad_data,
                "the card in the picture is locked by RisuAI, and only RisuAI reads it: export it there without a lock");
  std::string json;
  if (!from_base64(trimmed(text), json)) throw Error(ExitCode::bad_data, "the card in the picture is not base64");
  return json;
}

Card read_png_card(std::string_view bytes) {
  const std::vector<PngChunk> chunks = read_png(bytes);
  for (const char* keyword : keywords) {
    const auto chunk = std::find_if(chunks.begin(), chunks.end(), [&](const PngChunk& c) { return keyword_of(c) == keyword; });
    if (chunk == chunks.end()) continue;
    Card card;
    card.origin.json = json_of(text_of(*chunk, 2 * largest_card_json));
    card.character = read_card_json(card.origin.json);
    card.origin.picture = write_png(picture_of(chunks));
    return card;
  }
  throw Error(ExitCode::bad_data, "the picture has no character card in it");
}

Card card_of(std::vector<ZipEntry> entries) {
  Card card;
  bool found = false;
  for (ZipEntry& entry : entries) {
    if (entry.name == json_name)
      card.origin.json = std::move(entry.data), found = true;
    else
      card.origin.assets.push_back({std::move(entry.name), std::move(entry.data)});
  }
  if (!found) throw Error(ExitCode::bad_data, "the zip file has no card.json in it: it is no character card");
  card.character = read_card_json(card.origin.json);
  return card;
}

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

// A JPEG that shows the character, and behind it a CHARX.
Card read_jpeg_card(std::string_view bytes) {
  if (bytes.rfind("PK\x05\x06") == std::string_view::npos) throw Error(ExitCode::bad_data, "the picture has no character card in it");
  std::size_t front = 0;
  Card card = card_of(read_attached_zip(bytes, front));
  card.origin.picture = bytes.substr(0, front);
  return card;
}

// The first programs kept the card in the Exif comment of a WebP. Its picture is kept by nobody: it comes back as a PNG or not at all.
Card read_webp_card(std::string_view bytes) {
  Card card;
  card.origin.json = json_of(webp_comment(bytes));
  card.character = read_card_json(card.origin.json);
  return card;
}

}  // namespace

Card read_card(std::string_view bytes) {
  if (bytes.size() > largest_card)
    throw Error(ExitCode::bad_data, "the card is larger than " + std::to_string(largest_card >> 20U) + " MB");
  if (is_png(bytes)) return read_png_card(bytes);
  if (is_zip(bytes)) return card_of(read_zip(bytes));
  if (is_jpeg(bytes)) return read_jpeg_card(bytes);
  if (is_webp(bytes)) return read_webp_card(bytes);
  Card card;
  card.character = read_card_json(bytes);
  card.origin.json = bytes;
  return card;
}

std::string write_card_png(const Character& character, const Origin& origin, std::int64_t modified_s, std::string_view picture) {
  std::vector<PngChunk> chunks = picture_of(read_png(picture));
  const PngChunk v3 = text_chunk(keywords[0], to_base64(write_card_json(character, origin, modified_s)));
  const PngChunk v2 = text_chunk(keywords[1], to_base64(write_card_v2_json(character, origin, modified_s)));
  chunks.insert(chunks.end() - 1, {v3, v2});  // before IEND
  return write_png(chunks);
}

std::string write_charx(const Character& character, const Origin& origin, std::int64_t modified_s) {
  std::vector<ZipEntry> entries = {{json_name, write_card_json(character, origin, modified_s)}};
  for (const Asset& asset : origin.assets) entries.push_back({asset.path, asset.data});
  return (is_jpeg(origin.picture) ? origin.picture : "") + write_zip(entries);
}

}  // namespace fabula::cast
