#include "planner/schema.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/error.h"

namespace fabula::plan {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* version = "fabula.plan/1";

[[noreturn]] void refuse(const std::string& path, const std::string& what) { throw Error(ExitCode::bad_data, "plan: " + path + ": " + what); }

// ---- writing: one function an object, keys in the plan's order

template <typename Entries, typename Write>
ordered_json list_of(const Entries& entries, Write write) {
  ordered_json list = ordered_json::array();
  for (const auto& entry : entries) list.push_back(write(entry));
  return list;
}

ordered_json write_shot(const Shot& shot) {
  return {{"id", shot.id},
          {"place", shot.place},
          {"start_ms", shot.start_ms},
          {"duration_ms", shot.duration_ms},
          {"cast", list_of(shot.cast, [](const CastMember& m) { return ordered_json{{"id", m.id}, {"position", m.position}, {"facing", m.facing}}; })},
          {"action_beats", list_of(shot.action_beats, [](const ActionBeat& b) { return ordered_json{{"at_ms", b.at_ms}, {"who", b.who}, {"what", b.what}}; })},
          {"camera", {{"size", shot.camera.size}, {"move", shot.camera.move}}},
          {"dialogue", list_of(shot.dialogue,
                               [](const Line& l) {
                                 return ordered_json{{"speaker", l.speaker}, {"text", l.text}, {"start_ms", l.start_ms}, {"end_ms", l.end_ms}, {"mode", l.mode}};
                               })},
          {"ambience", shot.ambience}};
}

ordered_json write_film(const Film& film, bool with_prompt) {
  ordered_json root = {{"version", version}};
  if (with_prompt) root["prompt"] = film.prompt;
  root["treatment"] = film.treatment;
  root["title"] = film.title;
  root["aspect"] = film.aspect;
  root["fps"] = film.fps;
  root["total_ms"] = film.total_ms;
  root["language"] = film.language;
  root["characters"] = list_of(film.characters, [](const Character& c) {
    return ordered_json{{"id", c.id}, {"name", c.name}, {"look", c.look}, {"voice", {{"voice_id", c.voice.voice_id}}}};
  });
  root["places"] = list_of(film.places, [](const Place& p) { return ordered_json{{"id", p.id}, {"description", p.description}, {"time_of_day", p.time_of_day}}; });
  root["shots"] = list_of(film.shots, write_shot);
  root["sound"] = {{"music", film.music}};
  root["unsupported"] = film.unsupported;
  return root;
}

// ---- reading

// One object of the file: each field is asked for once; done() refuses what nobody asked for.
class Object {
 public:
  Object(const json& value, std::string path) : value_(value), path_(std::move(path)) {
    if (!value.is_object()) refuse(path_, "is not an object");
  }

  std::string text(const char* key) {
    const json& field = take(key);
    if (!field.is_string()) refuse(at(key), "is not a string");
    return field;
  }

  int integer(const char* key) {
    const json& field = take(key);
    if (!field.is_number_integer() || field < std::numeric_limits<int>::min() || field > std::numeric_limits<int>::max()) refuse(at(key), "is not an integer");
    return field;
  }

  Object object(const char* key) { return {take(key), at(key)}; }

  // read(value, path) for each element.
  template <typename Read>
  auto list(const char* key, Read read) {
    const json& field = take(key);
    if (!field.is_array()) refuse(at(key), "is not a list");
    std::vector<decltype(read(field, path_))> elements;
    for (std::size_t i = 0; i < field.size(); ++i) elements.push_back(read(field[i], at(key) + "[" + std::to_string(i) + "]"));
    return elements;
  }

  void done() const {
    for (const auto& [key, field] : value_.items()) {
      if (!taken_.contains(key)) refuse(at(key), "is not a field of a plan");
    }
  }

 private:
  std::string at(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  const json& take(const char* key) {
    const auto field = value_.find(key);
    if (field == value_.end()) refuse(at(key), "is missing");
    taken_.insert(key);
    return *field;
  }

  const json& value_;
  std::string path_;
  std::set<std::string> taken_;
};

Character read_character(const json& value, const std::string& path) {
  Object object(value, path);
  Character c{object.text("id"), object.text("name"), object.text("look"), {}};
  Object voice = object.object("voice");
  c.voice.voice_id = voice.text("voice_id");
  voice.done();
  object.done();
  return c;
}

Place read_place(const json& value, const std::string& path) {
  Object object(value, path);
  Place p{object.text("id"), object.text("description"), object.text("time_of_day")};
  object.done();
  return p;
}

CastMember read_member(const json& value, const std::string& path) {
  Object object(value, path);
  CastMember m{object.text("id"), object.text("position"), object.text("facing")};
  object.done();
  return m;
}

ActionBeat read_beat(const json& value, const std::string& path) {
  Object object(value, path);
  ActionBeat b{object.integer("at_ms"), object.text("who"), object.text("what")};
  object.done();
  return b;
}

Line read_line(const json& value, const std::string& path) {
  Object object(value, path);
  Line l{object.text("speaker"), object.text("text"), object.integer("start_ms"), object.integer("end_ms"), object.text("mode")};
  object.done();
  return l;
}

Shot read_shot(const json& value, const std::string& path) {
  Object object(value, path);
  Shot shot;
  shot.id = object.text("id");
  shot.place = object.text("place");
  shot.start_ms = object.integer("start_ms");
  shot.duration_ms = object.integer("duration_ms");
  shot.cast = object.list("cast", read_member);
  shot.action_beats = object.list("action_beats", read_beat);
  Object camera = object.object("camera");
  shot.camera = {camera.text("size"), camera.text("move")};
  camera.done();
  shot.dialogue = object.list("dialogue", read_line);
  shot.ambience = object.text("ambience");
  object.done();
  return shot;
}

std::string read_text(const json& value, const std::string& path) {
  if (!value.is_string()) refuse(path, "is not a string");
  return value;
}

// JSON that names a key twice says two things; nlohmann/json would keep the last.
json parse(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value).second) refuse(value, "is there twice");
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    throw Error(ExitCode::bad_data, "the plan is not JSON: there is an error at byte " + std::to_string(error.byte));
  }
}

}  // namespace

std::string to_json(const Film& film) { return write_film(film, true).dump(2); }
std::string to_compact_json(const Film& film) { return write_film(film, false).dump(); }

Film from_json(std::string_view text) {
  const json value = parse(text);
  Object root(value, "");
  if (const std::string given = root.text("version"); given != version) refuse("version", "is \"" + given + "\", this program reads \"" + version + "\"");
  Film film;
  film.prompt = root.text("prompt");
  film.treatment = root.text("treatment");
  film.title = root.text("title");
  film.aspect = root.text("aspect");
  film.fps = root.integer("fps");
  film.total_ms = root.integer("total_ms");
  film.language = root.text("language");
  film.characters = root.list("characters", read_character);
  film.places = root.list("places", read_place);
  film.shots = root.list("shots", read_shot);
  Object sound = root.object("sound");
  film.music = sound.text("music");
  sound.done();
  film.unsupported = root.list("unsupported", read_text);
  root.done();
  return film;
}

}  // namespace fabula::plan
