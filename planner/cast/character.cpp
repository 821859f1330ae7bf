// Validates characters, and words one as a sentence of a prompt.
#include "planner/cast/character.h"

#include <algorithm>
#include <set>
#include <span>

#include "base/error.h"
#include "base/sha256.h"
#include "planner/text/text.h"
#include "planner/text/unicode.h"

namespace fabula::cast {
namespace {

void require_text(const std::string& what, const std::string& text, std::size_t most) {
  if (text.size() > most)
    throw Error(ExitCode::bad_data,
                what + " is " + std::to_string(text.size()) + " bytes long, at most " + std::to_string(most) + " are kept");
  if (text.find('\0') != std::string::npos) throw Error(ExitCode::bad_data, what + " has a zero byte in it");
  if (!is_utf8(text)) throw Error(ExitCode::bad_data, what + " is not UTF-8 text");
}

void require_list(const std::string& what, const std::vector<std::string>& list) {
  if (list.size() > most_entries)
    throw Error(ExitCode::bad_data, "there are more than " + std::to_string(most_entries) + " entries of " + what);
  for (const std::string& entry : list) {
    require_text(what, entry, longest_text);
    if (entry.empty()) throw Error(ExitCode::bad_data, what + " has an empty entry");
  }
}

}  // namespace

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text[0] >= 'a' && text[0] <= 'z' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

std::string id_of(std::string_view name) {
  constexpr std::size_t most = 32, digest = 8;
  std::string id;
  bool is_whole = true;
  const std::string plain = without_accents(lowercase(name));
  for (std::size_t at = 0; at < plain.size();) {
    const fabula::Character c = character_at(plain, at);
    const bool letter = c.code >= 'a' && c.code <= 'z', digit = c.code >= '0' && c.code <= '9';
    if (letter || (digit && !id.empty()))
      id += plain[at];
    else if (!id.empty() && id.back() != '_')
      id += '_';
    is_whole = is_whole && (c.code < 0x80 || (c.kind != CharKind::letter && c.kind != CharKind::number));
    at += c.bytes;
  }
  const auto shorten = [&](std::size_t bytes) {
    id.resize(std::min(id.size(), bytes));
    while (!id.empty() && id.back() == '_') id.pop_back();
    if (id.empty()) id = "character";
  };
  shorten(is_whole ? most : most - digest - 1);
  return is_whole ? id : id + "_" + Sha256().add(std::as_bytes(std::span(name))).hex().substr(0, digest);
}

void require_valid(const Character& c) {
  if (!is_id(c.id))
    throw Error(ExitCode::bad_data,
                "\"" + printable(c.id.substr(0, 40)) + "\" is no id: a small letter, then up to 31 small letters, digits or _");
  require_text("the name", c.name, longest_name);
  if (trimmed(c.name).empty()) throw Error(ExitCode::bad_data, "the character " + c.id + " has no name");
  require_text("the look", c.look, longest_text);
  require_text("the wardrobe", c.wardrobe, longest_text);
  for (const VoicePart& part : voice_parts) require_text("the voice's " + std::string(part.name), c.voice.*part.text, longest_text);
  require_list("ref_images", c.ref_images);
  require_list("ref_audio", c.ref_audio);
  if (c.fields.size() > most_entries) throw Error(ExitCode::bad_data, "there are more than " + std::to_string(most_entries) + " fields");
  std::set<std::string> keys;
  for (const Field& field : c.fields) {
    require_text("the name of a field", field.key, longest_name);
    require_text("a field", field.text, longest_text);
    if (field.key.empty()) throw Error(ExitCode::bad_data, "a field has no name");
    if (!keys.insert(field.key).second) throw Error(ExitCode::bad_data, "the field \"" + printable(field.key) + "\" appears twice");
  }
}

void require_valid(const Memory& m) {
  require_text("the memory's type", m.type, longest_name);
  require_text("the memory", m.text, longest_text);
  require_text("the memory's film", m.film, longest_name);
  require_text("the memory's shot", m.shot, longest_name);
  require_text("the memory's date", m.created, longest_name);
  if (trimmed(m.text).empty()) throw Error(ExitCode::bad_data, "the memory is empty");
  if (m.type.empty()) throw Error(ExitCode::bad_data, "the memory has no type");
  if (m.time_ms < 0) throw Error(ExitCode::bad_data, "the memory's time is before the film");
}

std::string prompt_sentence(const Character& c) {
  constexpr std::size_t most = 300;  // bytes of each part; a whole prompt holds 4000
  const auto part = [](const char* lead, const std::string& text) {
    const std::string words = prompt_words(text, most);
    return words.empty() ? "" : lead + ("\"" + words + "\"");
  };
  const std::string look = part(" looks like ", c.look), wardrobe = part(" wears ", c.wardrobe),
                    voice = part(" speaks with ", c.voice.description);
  std::string sentence;
  for (const std::string& said : {look, wardrobe, voice}) {
    if (!said.empty()) sentence += (sentence.empty() ? "" : " and") + said;
  }
  const std::string name = part("The character ", c.name);
  return (name.empty() ? "The character \"" + c.id + "\"" : name) + (sentence.empty() ? " is there" : sentence) + ".";
}

}  // namespace fabula::cast
