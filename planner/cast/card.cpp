// Reads and writes the containers of a card: JSON, PNG, CHARX. card_json.cpp reads the JSON itself.
#include "planner/cast/card.h"

#include <algorithm>

#include "base/error.h"
#include "planner/cast/base64.h"
#include "planner/cast/png.h"
#include "planner/cast/zip.h"

namespace fabula::cast {
namespace {

constexpr const char* json_name = "card.json";
constexpr const char* keywords[] = {"ccv3", "chara"};  // the newer first: it wins if both are present

bool is_card_chunk(const PngChunk& chunk) {
  std::string_view text;
  return std::any_of(std::begin(keywords), std::end(keywords), [&](const char* keyword) { return is_text_chunk(chunk, keyword, text); });
}

// Removes all card chunks.
std::vector<PngChunk> picture_of(std::vector<PngChunk> chunks) {
  std::erase_if(chunks, is_card_chunk);
  return chunks;
}

Card read_png_card(std::string_view bytes) {
  const std::vector<PngChunk> chunks = read_png(bytes);
  for (const char* keyword : keywords) {
    std::string_view text;
    const auto chunk = std::find_if(chunks.begin(), chunks.end(), [&](const PngChunk& c) { return is_text_chunk(c, keyword, text); });
    if (chunk == chunks.end()) continue;
    Card card;
    if (!from_base64(text, card.origin.json)) throw Error(ExitCode::bad_data, "the card in the picture is not base64");
    card.character = read_card_json(card.origin.json);
    card.origin.picture = write_png(picture_of(chunks));
    return card;
  }
  throw Error(ExitCode::bad_data, "the picture has no character card in it");
}

Card read_charx(std::string_view bytes) {
  Card card;
  bool found = false;
  for (ZipEntry& entry : read_zip(bytes)) {
    if (entry.name == json_name)
      card.origin.json = std::move(entry.data), found = true;
    else
      card.origin.assets.push_back({std::move(entry.name), std::move(entry.data)});
  }
  if (!found) throw Error(ExitCode::bad_data, "the zip file has no card.json in it: it is no character card");
  card.character = read_card_json(card.origin.json);
  return card;
}

}  // namespace

Card read_card(std::string_view bytes) {
  if (bytes.size() > largest_card)
    throw Error(ExitCode::bad_data, "the card is larger than " + std::to_string(largest_card >> 20U) + " MB");
  if (is_png(bytes)) return read_png_card(bytes);
  if (is_zip(bytes)) return read_charx(bytes);
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
  return write_zip(entries);
}

}  // namespace fabula::cast
