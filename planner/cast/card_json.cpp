// Reads a character from a card's JSON, and updates a card's JSON from a character.
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/json_fields.h"
#include "planner/cast/card.h"
#include "planner/text/text.h"

namespace fabula::cast {
namespace {

using json = nlohmann::ordered_json;  // keys stay in the card's order

constexpr const char* spec_v3 = "chara_card_v3";
constexpr const char* spec_v2 = "chara_card_v2";
constexpr std::size_t most_keys = 2000;  // per object, because key lookup is linear

[[noreturn]] void refuse(const std::string& what) { throw Error(ExitCode::bad_data, "the card: " + what); }

json parse(std::string_view text) {
  if (text.size() > largest_card_json) refuse("its JSON is larger than " + std::to_string(largest_card_json >> 20U) + " MB");
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > deepest_card_json) refuse("its JSON is nested more than " + std::to_string(deepest_card_json) + " deep");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key) {
      const std::string& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) refuse("\"" + printable(key.substr(0, 80)) + "\" appears twice");
      if (keys.back().size() > most_keys) refuse("an object has more than " + std::to_string(most_keys) + " keys");
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception&) {
    refuse("it is not JSON: " + json_fault(text));
  }
}

// A field that is there and not null. Programs write null where they have nothing.
const json* present(const json& parent, const char* key) {
  const auto field = parent.find(key);
  return field == parent.end() || field->is_null() ? nullptr : &*field;
}

// An optional object. An empty list counts as one: that is how PHP writes it.
const json* object_at(const json& parent, const char* key, const std::string& path) {
  const json* field = present(parent, key);
  if (field == nullptr || (field->is_array() && field->empty())) return nullptr;
  if (!field->is_object()) refuse(path + " is not an object");
  return field;
}

// An optional text.
std::string text_at(const json& parent, const char* key, const std::string& path) {
  const json* field = present(parent, key);
  if (field == nullptr) return {};
  if (!field->is_string()) refuse(path + " is not a string");
  return *field;
}

// data.extensions.fabula
void read_extension(const json& ours, Character& c) {
  const std::string path = "data.extensions.fabula.";
  c.id = text_at(ours, "id", path + "id");
  c.look = text_at(ours, "look", path + "look");
  c.wardrobe = text_at(ours, "wardrobe", path + "wardrobe");
  if (const json* voice = object_at(ours, "voice", path + "voice")) {
    for (const VoicePart& part : voice_parts) c.voice.*part.text = text_at(*voice, part.name, path + "voice." + part.name);
  }
  const json* fields = object_at(ours, "fields", path + "fields");
  if (fields == nullptr) return;
  for (const auto& [key, value] : fields->items()) {
    if (value.is_null()) continue;
    if (!value.is_string()) refuse(path + "fields." + printable(key.substr(0, 80)) + " is not a string");
    c.fields.push_back({key, value});
  }
}

// Programs from before version 2 have all fields in the root, TavernAI by the first name and Pygmalion's by the second.
struct OldField {
  const char *name, *pygmalion;
};
constexpr OldField old_fields[] = {{"name", "char_name"},          {"description", "char_persona"}, {"personality", nullptr},
                                   {"scenario", "world_scenario"}, {"first_mes", "char_greeting"},  {"mes_example", "example_dialogue"}};

// The root of a card in the form of versions 2 and 3: one of an older program gets its "data" from the root's fields.
json parse_card(std::string_view text) {
  json root = parse(text);
  if (!root.is_object()) refuse("it is not a JSON object");
  const std::string spec = text_at(root, "spec", "spec");
  const bool is_old = spec.empty() && present(root, "data") == nullptr;
  const bool is_known = spec == spec_v3 || spec == spec_v2 || (spec.empty() && !is_old);
  if (!is_known && !is_old) refuse("its spec is not \"" + std::string(spec_v3) + "\": it is no character card that can be read");
  if (is_old) {
    json data = json::object();
    for (const OldField& field : old_fields) {
      const json* value = present(root, field.name);
      if (value == nullptr && field.pygmalion != nullptr) value = present(root, field.pygmalion);
      if (value != nullptr) data[field.name] = *value;
    }
    if (data.empty()) refuse("it has neither a spec nor a name: it is no character card");
    root["data"] = std::move(data);
  }
  if (object_at(root, "data", "data") == nullptr) refuse("data is missing");
  return root;
}

// Adds missing compulsory fields.
void complete(json& data) {
  for (const char* key : {"name", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes", "system_prompt",
                          "post_history_instructions", "creator", "character_version"}) {
    if (present(data, key) == nullptr) data[key] = "";
  }
  for (const char* key : {"alternate_greetings", "tags", "group_only_greetings"}) {
    if (present(data, key) == nullptr) data[key] = json::array();
  }
  if (object_at(data, "extensions", "data.extensions") == nullptr) data["extensions"] = json::object();
}

json card_of(const Character& c, const Origin& origin, std::int64_t modified_s) {
  require_valid(c);
  if (!origin.json.empty()) (void)read_card_json(origin.json);  // it comes from a file: validate it before writing into it
  json root = origin.json.empty() ? json::object() : parse_card(origin.json);
  if (!root.contains("spec") || root["spec"] != spec_v3) {
    root["spec"] = spec_v3;
    root["spec_version"] = "3.0";
  }
  json& data = root["data"];
  if (data.is_null()) data = json::object();
  complete(data);
  data["name"] = c.name;
  data["description"] = "";
  data["modification_date"] = modified_s;
  json& ours = data["extensions"]["fabula"];
  ours["id"] = c.id;
  ours["look"] = c.look;
  ours["wardrobe"] = c.wardrobe;
  for (const VoicePart& part : voice_parts) ours["voice"][part.name] = c.voice.*part.text;
  ours["fields"] = json::object();
  for (const Field& field : c.fields) {
    if (field.key == "description")
      data["description"] = field.text;
    else
      ours["fields"][field.key] = field.text;
  }
  return root;
}

}  // namespace

Character read_card_json(std::string_view text) {
  const json root = parse_card(text);
  const json& data = root["data"];
  Character c;
  c.name = text_at(data, "name", "data.name");
  if (trimmed(c.name).empty()) refuse("data.name is missing or empty");
  if (std::string description = text_at(data, "description", "data.description"); !description.empty())
    c.fields.push_back({"description", std::move(description)});
  if (const json* extensions = object_at(data, "extensions", "data.extensions")) {
    if (const json* ours = object_at(*extensions, "fabula", "data.extensions.fabula")) read_extension(*ours, c);
  }
  if (c.id.empty()) c.id = id_of(c.name);
  require_valid(c);
  return c;
}

std::string write_card_json(const Character& c, const Origin& origin, std::int64_t modified_s) {
  return card_of(c, origin, modified_s).dump(2);
}

std::string write_card_v2_json(const Character& c, const Origin& origin, std::int64_t modified_s) {
  json root = card_of(c, origin, modified_s);
  root["spec"] = spec_v2;
  root["spec_version"] = "2.0";
  json& data = root["data"];
  for (const char* key :
       {"group_only_greetings", "assets", "nickname", "creator_notes_multilingual", "source", "creation_date", "modification_date"})
    data.erase(key);
  const std::string notes = data["creator_notes"].is_string() ? data["creator_notes"].get<std::string>() : "";
  data["creator_notes"] = "This is a version 2 copy of a Character Card V3; use a program that reads V3 to have all of it." +
                          (notes.empty() ? "" : "\n\n" + notes);
  return root.dump(2);
}

}  // namespace fabula::cast
