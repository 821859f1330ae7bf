// `fabula world`: who, where, what and which voices the installed model can film.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/bundle.h"
#include "engine/world.h"
#include "library/options.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"

namespace fabula::cli {

namespace {

using nlohmann::ordered_json;

struct WorldOptions {
  std::string model;
  bool json = false;
};

// One thing that can be filmed. words: what prompts may call it.
struct Entry {
  std::string id, description;
  std::vector<std::string> words;
};

struct Section {
  const char *key, *title;
  std::vector<Entry> entries;
};

std::vector<Entry> entries_of(const std::vector<std::string>& ids) {
  std::vector<Entry> entries;
  for (const std::string& id : ids) entries.push_back({id, "", {}});
  return entries;
}

std::vector<Entry> entries_of(const std::vector<World::Named>& named) {
  std::vector<Entry> entries;
  for (const World::Named& one : named) entries.push_back({one.id, "", one.words});
  return entries;
}

std::vector<Section> sections_of(const World& world) {
  std::vector<Entry> actors, places, actions, props, voices;
  for (const World::Actor& one : world.actors) actors.push_back({one.id, one.look, one.words});
  for (const World::Place& one : world.places) places.push_back({one.id, one.description, one.words});
  for (const World::Action& one : world.actions) actions.push_back({one.id, "", one.words});
  for (const World::Prop& one : world.props) props.push_back({one.id, one.look, one.words});
  for (const World::Voice& one : world.voices) voices.push_back({one.id, one.description, {}});
  return {{"actors", "who", actors},
          {"places", "where", places},
          {"actions", "what they do", actions},
          {"props", "with what", props},
          {"times", "when", entries_of(world.times)},
          {"weathers", "in what weather", entries_of(world.weathers)},
          {"moods", "in what mood", entries_of(world.moods)},
          {"voices", "voices", voices},
          {"camera_sizes", "shot sizes", entries_of(world.camera_sizes)},
          {"camera_moves", "camera moves", entries_of(world.camera_moves)}};
}

ordered_json json_of(const std::vector<Section>& sections) {
  ordered_json out = ordered_json::object();
  for (const Section& section : sections) {
    out[section.key] = ordered_json::array();
    for (const Entry& entry : section.entries)
      out[section.key].push_back({{"id", entry.id}, {"description", entry.description}, {"words", entry.words}});
  }
  return out;
}

// "an orange fox (fox, vixen)"; the id itself is not repeated.
std::string text_of(const Entry& entry) {
  std::string words;
  for (const std::string& word : entry.words) {
    if (word != entry.id) words += (words.empty() ? "" : ", ") + word;
  }
  if (words.empty()) return entry.description;
  return entry.description.empty() ? words : entry.description + " (" + words + ")";
}

void print(const Section& section) {
  if (section.entries.empty()) return;
  std::printf("%s\n", section.title);
  const bool plain = std::all_of(section.entries.begin(), section.entries.end(), [](const Entry& one) { return text_of(one).empty(); });
  std::string line = " ";
  for (const Entry& entry : section.entries) {
    if (plain)
      line += " " + printable(entry.id);
    else
      std::printf("  %-12s %s\n", printable(entry.id).c_str(), printable(text_of(entry)).c_str());
  }
  if (plain) std::printf("%s\n", line.c_str());
}

void run(const WorldOptions& options) {
  const World world = World::open(Bundle::open(locate_bundle(options.model)).folder / "world.json");
  const std::vector<Section> sections = sections_of(world);
  if (options.json) {
    std::printf("%s\n", json_of(sections).dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
    return;
  }
  for (const Section& section : sections) print(section);
  std::printf("a film has up to %d shots of %.1f s\n", world.max_shots, static_cast<double>(world.film_ms(1)) / 1000.0);
}

}  // namespace

void add_world_command(CLI::App& app) {
  CLI::App* world = app.add_subcommand("world", "List who, where, what and which voices the installed model can film");
  world->footer(
      footer("  fabula world\n"
             "  fabula world --json",
             {0, 2, 65, 66, 69, 74}));
  const auto options = std::make_shared<WorldOptions>();
  add_model_folder(*world, options->model);
  world->add_flag("--json", options->json, "Print as JSON");
  world->callback([options] { run(*options); });
}

}  // namespace fabula::cli
