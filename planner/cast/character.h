// A character kept across films, as plain data. Its texts are UTF-8 and may come from strangers: they enter a prompt only through
// prompt_sentence.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabula::cast {

struct Voice {
  std::string voice_id, description, age, pitch, timbre, pace, accent;
};

/// The parts of a voice, with their names in files and options.
struct VoicePart {
  const char* name;
  std::string Voice::*text;
};
inline constexpr std::array<VoicePart, 7> voice_parts = {{{"voice_id", &Voice::voice_id},
                                                          {"description", &Voice::description},
                                                          {"age", &Voice::age},
                                                          {"pitch", &Voice::pitch},
                                                          {"timbre", &Voice::timbre},
                                                          {"pace", &Voice::pace},
                                                          {"accent", &Voice::accent}}};

/// A free field of the description; "description" is that of a character card.
struct Field {
  std::string key, text;
};

struct Character {
  std::string id;  ///< ^[a-z][a-z0-9_]{0,31}$
  std::string name, look, wardrobe;
  Voice voice;
  std::vector<std::string> ref_images, ref_audio;  ///< paths on this machine; not written to cards
  std::vector<Field> fields;                       ///< keys are unique
};

/// An event that a character remembers.
struct Memory {
  std::int64_t number = 0;  ///< assigned by the store, ascending
  std::string type, text, film, shot;
  std::int64_t time_ms = 0;  ///< on the film's clock
  std::string created;       ///< UTC, "2026-01-31T12:00:00Z"
};

/// The contents of an imported card, kept byte for byte so that an export loses nothing.
struct Asset {
  std::string path, data;
};
struct Origin {
  std::string json;           ///< the card; empty if the character was not imported
  std::string picture;        ///< the PNG without card chunks, or the JPEG in front of a CHARX; empty if none
  std::vector<Asset> assets;  ///< the other files of a CHARX
};

constexpr std::size_t longest_name = 200;    ///< bytes
constexpr std::size_t longest_text = 65536;  ///< bytes of any other text
constexpr std::size_t most_entries = 256;    ///< of fields, images and sounds, each

[[nodiscard]] bool is_id(std::string_view text);
/// Makes an id from a name: "Old Fox!" -> "old_fox", "Éloïse" -> "eloise". A name with letters that have no counterpart in a-z ends in a
/// part of its SHA-256, so that two such names have two ids: "中文" -> "character_72726d88".
[[nodiscard]] std::string id_of(std::string_view name);

/// Throws Error(bad_data), naming the part, for a malformed id, an empty name, a text that is too long, not UTF-8 or holds a NUL, and a
/// duplicate key.
void require_valid(const Character&);
void require_valid(const Memory&);

/// The character as a sentence of a prompt: 'The character "Fox" looks like "an orange fox" and wears "a red scarf".' All texts pass
/// through prompt_words (planner/text/text.h), so a card cannot say anything outside the quotation marks.
[[nodiscard]] std::string prompt_sentence(const Character&);

}  // namespace fabula::cast
