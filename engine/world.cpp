// Reads world.json and looks up its entries.
#include "engine/world.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"

namespace fabula {
namespace {

using nlohmann::json;

class WorldReader {
 public:
  WorldReader(std::string_view text, std::string name)
      : name_(std::move(name)), root_(json::parse(text.begin(), text.end(), nullptr, false)) {
    if (root_.is_discarded()) refuse("it is not JSON: " + json_fault(text));
    if (!root_.is_object()) refuse("is not a JSON object");
  }

  World read() const {
    World world;
    world.fps = integer(root_, "fps", 1, 240);
    const auto frames = get<std::vector<int>>(root_, "shot_frames");
    if (frames.empty() || frames[0] < 1 || frames[0] > 100000) refuse("\"shot_frames\" has no length that can be made");
    world.shot_frames = frames[0];
    world.max_shots = integer(root_, "max_shots", 1, 1000);
    for (const json& entry : list("actors"))
      world.actors.push_back({text(entry, "id"), text(entry, "name"), text(entry, "look"), words(entry)});
    if (root_.contains("line_bytes")) world.line_bytes = static_cast<std::size_t>(integer(root_, "line_bytes", 1, 1000));
    world.weathers = names("weathers");
    world.moods = names("moods");
    if (root_.contains("props")) {
      for (const json& entry : list("props"))
        world.props.push_back({text(entry, "id"), text(entry, "name"), text(entry, "look"), words(entry)});
      check_names(ids_of(world.props), "props");
    }
    for (const json& entry : list("places")) {
      world.places.push_back(
          {text(entry, "id"), text(entry, "description"), text(entry, "ambience"), words(entry), weathers(entry, world)});
    }
    for (const json& entry : list("actions")) world.actions.push_back(action(entry));
    for (const json& entry : list("voices"))
      world.voices.push_back(
          {text(entry, "id"), text(entry, "flite"), tempo(entry), entry.contains("description") ? text(entry, "description") : ""});
    for (const auto& [key, words] : {std::pair{"times", &world.times},
                                     {"positions", &world.positions},
                                     {"facings", &world.facings},
                                     {"camera_sizes", &world.camera_sizes},
                                     {"camera_moves", &world.camera_moves},
                                     {"ambiences", &world.ambiences},
                                     {"sounds", &world.sounds},
                                     {"phones", &world.phones}}) {
      *words = get<std::vector<std::string>>(root_, key);
      check_names(*words, key);
    }
    if (root_.contains("plain_words")) world.plain_words = get<std::vector<std::string>>(root_, "plain_words");
    check_names(ids_of(world.actors), "actors");
    check_names(ids_of(world.places), "places");
    check_names(ids_of(world.actions), "actions");
    check_names(ids_of(world.voices), "voices");
    return world;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw Error(ExitCode::bad_data, name_ + ": " + what); }

  template <typename T>
  T get(const json& object, const char* key) const {
    try {
      return object.at(key).get<T>();
    } catch (const json::exception&) {
      refuse(std::string("the field \"") + key + "\" is missing or of the wrong type");
    }
  }

  std::string text(const json& object, const char* key) const { return get<std::string>(object, key); }

  int integer(const json& object, const char* key, int low, int high) const {
    const auto value = get<double>(object, key);
    if (!(value >= low && value <= high) || value != std::floor(value)) {
      refuse(std::string("\"") + key + "\" is not an integer from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return static_cast<int>(value);
  }

  std::vector<std::string> words(const json& entry) const {
    return entry.contains("words") ? get<std::vector<std::string>>(entry, "words") : std::vector<std::string>{};
  }

  // Weathers or moods: objects with the words that people use, or ids alone. A world need not have them.
  std::vector<World::Named> names(const char* key) const {
    std::vector<World::Named> all;
    if (!root_.contains(key)) return all;
    for (const json& entry : list(key))
      all.push_back(entry.is_string() ? World::Named{entry.get<std::string>()} : World::Named{text(entry, "id"), words(entry)});
    check_names(ids_of(all), key);
    return all;
  }

  std::vector<std::string> weathers(const json& place, const World& world) const {
    if (world.weathers.empty()) return {};
    const auto ids = get<std::vector<std::string>>(place, "weathers");
    check_names(ids, "weathers");
    const std::vector<std::string> known = ids_of(world.weathers);
    for (const std::string& id : ids) {
      if (std::find(known.begin(), known.end(), id) == known.end()) refuse("a place has \"" + id + "\", which is none of \"weathers\"");
    }
    if (ids.front() != known.front()) refuse("a place's \"weathers\" do not begin with \"" + known.front() + "\"");
    return ids;
  }

  std::vector<json> list(const char* key) const { return get<std::vector<json>>(root_, key); }

  double tempo(const json& entry) const {
    const auto value = get<double>(entry, "tempo");
    if (!(value >= 0.1 && value <= 10.0)) refuse("a voice's \"tempo\" is not between 0.1 and 10");
    return value;
  }

  World::Action action(const json& entry) const {
    World::Action action{text(entry, "id"), {}, words(entry)};
    for (const json& sound : get<std::vector<json>>(entry, "sounds")) {
      if (sound.is_object() && sound.contains("at_ms")) {  // at these times only
        for (const double ms : get<std::vector<double>>(sound, "at_ms")) {
          if (!(ms >= 0 && ms <= 1'000'000) || ms != std::floor(ms)) refuse("\"at_ms\" is not a list of integers from 0 to 1000000");
          action.sounds.push_back({text(sound, "sound"), static_cast<int>(ms), 1'000'000});
        }
        continue;
      }
      action.sounds.push_back({text(sound, "sound"), integer(sound, "first_ms", 0, 1'000'000), integer(sound, "every_ms", 1, 1'000'000)});
    }
    return action;
  }

  // Names end up in the plan's forced text and in token names: plain words, each once.
  void check_names(const std::vector<std::string>& names, const char* key) const {
    if (names.empty()) refuse(std::string("\"") + key + "\" is empty");
    std::set<std::string> seen;
    for (const std::string& name : names) {
      const bool plain = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
      if (!plain || !seen.insert(name).second) refuse("\"" + name + "\" in \"" + key + "\" is there twice or not of a-z, 0-9 and _");
    }
  }

  std::string name_;
  json root_;
};

template <typename Entries>
auto* find_id(Entries& entries, std::string_view id) {
  for (auto& entry : entries) {
    if (entry.id == id) return &entry;
  }
  return decltype(&entries.front()){nullptr};
}

}  // namespace

World World::parse(std::string_view text, const std::string& name) { return WorldReader(text, name).read(); }

World World::open(const std::filesystem::path& file) { return parse(read_file(file), file.string()); }

int World::film_ms(int shots) const { return static_cast<int>(std::lround(1000.0 * shot_frames * shots / fps)); }

const World::Place* World::place(std::string_view entry) const {
  if (const Place* exact = find_id(places, entry)) return exact;
  const std::size_t mark = entry.rfind('_');
  const std::string_view number = mark == std::string_view::npos ? "" : entry.substr(mark + 1);
  const bool is_further = !number.empty() && number.size() <= 3 && number.find_first_not_of("0123456789") == std::string_view::npos &&
                          number[0] != '0' && number != "1";
  return is_further ? find_id(places, entry.substr(0, mark)) : nullptr;
}

std::string World::or_first(const std::string& said, const std::vector<Named>& names) {
  return !said.empty() ? said : names.empty() ? "" : names.front().id;
}

const World::Action* World::action(std::string_view id) const { return find_id(actions, id); }
const World::Voice* World::voice(std::string_view id) const { return find_id(voices, id); }

}  // namespace fabula
