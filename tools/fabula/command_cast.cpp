// `fabula cast`: the characters that are kept across films.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "engine/world.h"
#include "library/options.h"
#include "library/source.h"
#include "planner/cast/card.h"
#include "planner/cast/join.h"
#include "planner/cast/png.h"
#include "planner/cast/store.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/cast_file.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/output.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace fs = std::filesystem;
using cast::Character;
using cast::Memory;
using cast::Origin;
using cast::Store;
using nlohmann::ordered_json;

namespace {

struct CastOptions {
  std::string file;   // empty: the user's own
  std::string model;  // the bundle that is to show the characters; empty: the installed one, if any
  bool json = false, replace = false, yes = false;
  std::string id, new_id, card;
  OverwriteOptions overwriting;  // of the card
  Character character;
  std::vector<std::string> fields;  // "key=text"
  std::set<std::string> given;      // options of the character that are on the command line
  Memory memory;
};

// The texts of a character that an option sets.
struct TextOption {
  std::string name, help;
  std::function<std::string&(Character&)> text;
};
std::vector<TextOption> text_options() {
  std::vector<TextOption> all = {{"--name", "Its name", [](Character& c) -> std::string& { return c.name; }},
                                 {"--look", "What it looks like: \"an orange fox\"", [](Character& c) -> std::string& { return c.look; }},
                                 {"--wardrobe", "What it wears: \"a red scarf\"", [](Character& c) -> std::string& { return c.wardrobe; }}};
  for (const cast::VoicePart& part : cast::voice_parts) {
    const bool is_id = part.text == &cast::Voice::voice_id;
    all.push_back({std::string("--voice-") + (is_id ? "id" : part.name),
                   is_id ? "Which of the model's voices, for example slt" : std::string("The voice's ") + part.name,
                   [text = part.text](Character& c) -> std::string& { return c.voice.*text; }});
  }
  return all;
}

Store open_store(const CastOptions& options, Store::Open mode) { return Store(cast_file(options.file, mode == Store::Open::create), mode); }

// ---- output: a stranger may have written the texts

ordered_json json_of(const Memory& m) {
  return {{"number", m.number}, {"type", m.type},       {"text", m.text},      {"film", m.film},
          {"shot", m.shot},     {"time_ms", m.time_ms}, {"created", m.created}};
}

ordered_json json_of(const Character& c) {
  ordered_json out = {{"id", c.id}, {"name", c.name}, {"look", c.look}, {"wardrobe", c.wardrobe}};
  for (const cast::VoicePart& part : cast::voice_parts) out["voice"][part.name] = c.voice.*part.text;
  out["ref_images"] = c.ref_images;
  out["ref_audio"] = c.ref_audio;
  out["fields"] = ordered_json::object();
  for (const cast::Field& field : c.fields) out["fields"][field.key] = field.text;
  return out;
}

// A damaged cast file may hold text that is not UTF-8.
void print(const ordered_json& value) { std::printf("%s\n", value.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str()); }

// "  look               an orange fox"; nothing for an empty text.
void print_row(const std::string& label, const std::string& text) {
  if (!text.empty()) std::printf("  %-18s %s\n", printable(label).c_str(), printable(text).c_str());
}

void run_list(const CastOptions& options) {
  const fs::path file = cast_file(options.file, false);
  std::vector<Character> all;
  if (options.file.empty() && !fs::exists(file)) {
    std::fprintf(stderr, "fabula: the cast is empty; try: fabula cast add fox --look \"an orange fox\"\n");
  } else {
    all = Store(file, Store::Open::existing).list();
  }
  if (options.json) {
    ordered_json out = ordered_json::array();
    for (const Character& c : all) out.push_back(json_of(c));
    return print(out);
  }
  for (const Character& c : all) std::printf("%-16s %-20s %s\n", c.id.c_str(), printable(c.name).c_str(), printable(c.look).c_str());
}

void run_show(const CastOptions& options) {
  const Store store = open_store(options, Store::Open::existing);
  const Character c = store.find(options.id);
  const std::vector<Memory> memory = store.memory_of(c.id);
  const Origin origin = store.origin_of(c.id);
  if (options.json) {
    ordered_json out = json_of(c);
    out["prompt"] = cast::prompt_sentence(c);
    out["memory"] = ordered_json::array();
    for (const Memory& m : memory) out["memory"].push_back(json_of(m));
    out["card"] = {{"imported", !origin.json.empty()}, {"picture_bytes", origin.picture.size()}, {"assets", ordered_json::array()}};
    for (const cast::Asset& asset : origin.assets) out["card"]["assets"].push_back({{"path", asset.path}, {"bytes", asset.data.size()}});
    return print(out);
  }
  std::printf("%s\n", c.id.c_str());
  print_row("name", c.name);
  print_row("look", c.look);
  print_row("wardrobe", c.wardrobe);
  for (const cast::VoicePart& part : cast::voice_parts)
    print_row("voice " + std::string(part.name == std::string("voice_id") ? "id" : part.name), c.voice.*part.text);
  for (const std::string& path : c.ref_images) print_row("image", path);
  for (const std::string& path : c.ref_audio) print_row("audio", path);
  for (const cast::Field& field : c.fields) print_row(field.key, field.text);
  print_row("in a prompt", cast::prompt_sentence(c));
  for (const Memory& m : memory) {
    const std::string where =
        m.film + (m.shot.empty() ? "" : " " + m.shot) + (m.film.empty() ? "" : " " + std::to_string(m.time_ms) + " ms");
    print_row("memory " + std::to_string(m.number), m.type + ": " + m.text + " (" + (where.empty() ? "" : where + ", ") + m.created + ")");
  }
}

// ---- input

// "old_fox" -> "Old fox"
std::string name_of(std::string id) {
  std::replace(id.begin(), id.end(), '_', ' ');
  if (!id.empty() && id[0] >= 'a' && id[0] <= 'z') id[0] = static_cast<char>(id[0] - 'a' + 'A');
  return id;
}

// Media are to be found from any folder.
void make_absolute(std::vector<std::string>& paths) {
  for (std::string& path : paths) {
    if (!fs::is_regular_file(path)) throw Error(ExitCode::input_missing, "there is no file " + path);
    path = fs::absolute(path).lexically_normal().string();
  }
}

void report_kept(const CastOptions& options, const Character& c) {
  if (options.json)
    print(json_of(c));
  else
    std::printf("%s\n", c.id.c_str());
}

// Said at once rather than found out in a film. Without an installed model there is nothing to say.
void report_not_shown(const CastOptions& options, const Character& c) {
  std::optional<World> world;
  try {
    world = World::open(locate_bundle(options.model) / "world.json");
  } catch (const Error&) {
    if (!options.model.empty()) throw;
    return;
  }
  for (const std::string& sentence : cast::not_shown(c, *world)) std::fprintf(stderr, "fabula: %s: %s\n", c.id.c_str(), sentence.c_str());
}

void keep(const CastOptions& options, const Character& c, const Origin& origin) {
  cast::require_valid(c);  // before a file is made for it
  Store store = open_store(options, Store::Open::create);
  if (options.replace)
    store.replace(c, origin);
  else
    store.add(c, origin);
  report_kept(options, c);
  report_not_shown(options, c);
}

// "KEY=TEXT"; without a text the field goes.
void set_fields(Character& c, const std::vector<std::string>& given) {
  for (const std::string& field : given) {
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos || equals == 0) throw Error(ExitCode::usage, "--field takes KEY=TEXT, not \"" + field + "\"");
    const std::string key = field.substr(0, equals), text = field.substr(equals + 1);
    const auto known = std::find_if(c.fields.begin(), c.fields.end(), [&](const cast::Field& f) { return f.key == key; });
    if (text.empty() && known != c.fields.end())
      c.fields.erase(known);
    else if (known != c.fields.end())
      known->text = text;
    else if (!text.empty())
      c.fields.push_back({key, text});
  }
}

void run_add(const CastOptions& options) {
  Character c = options.character;
  c.id = options.id;
  if (c.name.empty()) c.name = name_of(c.id);
  make_absolute(c.ref_images);
  make_absolute(c.ref_audio);
  set_fields(c, options.fields);
  keep(options, c, {});
}

void run_edit(const CastOptions& options) {
  Store store = open_store(options, Store::Open::existing);
  Character c = store.find(options.id), wanted = options.character;
  for (const TextOption& option : text_options()) {
    if (options.given.contains(option.name)) option.text(c) = option.text(wanted);
  }
  make_absolute(wanted.ref_images);
  make_absolute(wanted.ref_audio);
  if (!wanted.ref_images.empty()) c.ref_images = wanted.ref_images;
  if (!wanted.ref_audio.empty()) c.ref_audio = wanted.ref_audio;
  set_fields(c, options.fields);
  if (options.given.empty() && options.fields.empty() && wanted.ref_images.empty() && wanted.ref_audio.empty())
    throw Error(ExitCode::usage, "cast edit changes what its options say: name one, such as --look");
  store.replace(c);
  report_kept(options, c);
  report_not_shown(options, c);
}

void run_rename(const CastOptions& options) {
  Store store = open_store(options, Store::Open::existing);
  Character c = store.find(options.id);
  store.rename(options.id, options.new_id);
  const bool was_made_from_id = c.name == name_of(c.id);
  c.id = options.new_id;
  if (was_made_from_id) store.replace((c.name = name_of(c.id), c));
  report_kept(options, c);
}

void run_import(const CastOptions& options) {
  cast::Card card = cast::read_card(read_input(options.card, "the card", cast::largest_card));
  if (!options.id.empty()) card.character.id = options.id;
  if (!card.origin.picture.empty() && options.card != "-")
    card.character.ref_images.push_back(fs::absolute(options.card).lexically_normal().string());
  keep(options, card.character, card.origin);
}

// The picture of a PNG card: the one that it came with, else the first reference image that is a PNG.
std::string picture_of(const Character& c, const Origin& origin) {
  if (cast::is_png(origin.picture)) return origin.picture;
  for (const std::string& image : c.ref_images) {
    if (ending_of(image) == ".png") return read_input(image, "the picture", cast::largest_card);
  }
  throw Error(ExitCode::usage, "a PNG card needs a picture, and " + c.id +
                                   " has no PNG among its images: `fabula cast add --replace --image FILE.png` gives it one");
}

// JSON for standard output, and for a device or pipe without an ending.
std::string form_of_card(const std::string& card) {
  const std::string ending = ending_of(card);
  return is_printed(card) || (ending.empty() && is_stream(card)) ? ".json" : ending;
}

void run_export(const CastOptions& options) {
  const std::string extension = form_of_card(options.card);
  if (extension != ".json" && extension != ".png" && extension != ".charx")
    throw Error(ExitCode::usage, "a card is a .json, a .png or a .charx file, not " + options.card);
  const Store store = open_store(options, Store::Open::existing);
  const Character c = store.find(options.id);
  std::vector<std::string> kept = c.ref_images;
  kept.insert(kept.end(), c.ref_audio.begin(), c.ref_audio.end());
  kept.push_back(cast_file(options.file, false));
  if (!may_write(options.card, options.overwriting, terminal(), kept)) return;
  const Origin origin = store.origin_of(c.id);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const std::string bytes = extension == ".json"  ? cast::write_card_json(c, origin, now) + "\n"
                            : extension == ".png" ? cast::write_card_png(c, origin, now, picture_of(c, origin))
                                                  : cast::write_charx(c, origin, now);
  if (!is_printed(options.card) && extension != ".charx" && !origin.assets.empty()) {
    std::fprintf(stderr, "fabula: the %zu files that came with the card are left out; export a .charx to keep them\n",
                 origin.assets.size());
  }
  write_output(options.card, bytes, options.overwriting);
  if (options.json && !is_printed(options.card) && !is_standard_output(options.card))
    print({{"id", c.id}, {"card", options.card}, {"bytes", bytes.size()}});
  else
    report_output(options.card);
}

// Whether the user agrees. Throws Error(usage) where nobody can be asked.
bool confirmed(const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0)
    throw Error(ExitCode::usage, "cast remove asks before it removes, and there is no terminal to ask on; -y removes without asking");
  std::fprintf(stderr, "fabula: %s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void run_remove(const CastOptions& options) {
  Store store = open_store(options, Store::Open::existing);
  const std::size_t memories = store.memory_of(options.id).size();
  if (!options.yes &&
      !confirmed("remove " + options.id + (memories == 0 ? "" : " and what it remembers (" + std::to_string(memories) + ")") + "?")) {
    std::fprintf(stderr, "fabula: %s stays\n", options.id.c_str());
    return;
  }
  store.remove(options.id);
  if (options.json) print({{"removed", options.id}});
}

void run_remember(const CastOptions& options) {
  Memory memory = options.memory;
  memory.created = utc_now();
  memory.number = open_store(options, Store::Open::existing).remember(options.id, memory);
  if (options.json)
    print(json_of(memory));
  else
    std::printf("%lld\n", static_cast<long long>(memory.number));
}

constexpr std::initializer_list<int> cast_codes = {0, 2, 65, 66, 73, 74, 78};

// Registers the commands of `fabula cast`, which share their options.
class CastCommands {
 public:
  explicit CastCommands(CLI::App& cast) : cast_(cast) {}

  void add_reading();
  void add_changing();
  void add_cards();
  void add_memory();

 private:
  CLI::App* command(const char* name, const char* help, const char* example, void (*run)(const CastOptions&)) {
    CLI::App* sub = cast_.add_subcommand(name, help);
    sub->footer(footer(std::string("  fabula cast ") + example, cast_codes));
    sub->add_option("--cast", options_->file, "The cast file (default: the user's own)")->type_name("CAST.db");
    sub->add_option("--file", options_->file)->group("");  // its former name
    sub->add_flag("--json", options_->json, "Print the result as JSON");
    sub->callback([options = options_, run] { run(*options); });
    return sub;
  }
  CLI::App* command_on_one(const char* name, const char* help, const char* example, void (*run)(const CastOptions&)) {
    CLI::App* sub = command(name, help, example, run);
    sub->add_option("id", options_->id, "The character, for example fox")->required();
    return sub;
  }
  void add_character_options(CLI::App&);

  CLI::App& cast_;
  std::shared_ptr<CastOptions> options_ = std::make_shared<CastOptions>();
};

void CastCommands::add_character_options(CLI::App& command) {
  for (const TextOption& option : text_options()) {
    const auto set = [options = options_, option](const std::string& text) {
      option.text(options->character) = text;
      options->given.insert(option.name);
    };
    command.add_option_function<std::string>(option.name, set, option.help);
  }
  const auto add_list = [&](const char* name, std::vector<std::string>& values, const char* help, const char* type) {
    command.add_option(name, values, help)->type_name(type)->allow_extra_args(false);
  };
  add_list("--image", options_->character.ref_images, "A picture of it; may be given several times", "FILE");
  add_list("--audio", options_->character.ref_audio, "A recording of its voice; may be given several times", "FILE");
  add_list("--field", options_->fields, "Anything else, as KEY=TEXT; may be given several times. actor=fox says who plays it", "KEY=TEXT");
  add_model_folder(command, options_->model);
}

void CastCommands::add_reading() {
  command("list", "Who is in the cast", "list", run_list);
  command_on_one("show", "Everything about a character, and how a prompt describes it", "show fox", run_show);
}

void CastCommands::add_changing() {
  CLI::App* add =
      command_on_one("add", "Add a character", "add fox --look \"an orange fox\" --wardrobe \"a red scarf\" --voice-id rms", run_add);
  add_character_options(*add);
  add->add_flag("--replace", options_->replace, "Replace the character with this id; its memory stays");

  add_character_options(*command_on_one("edit", "Change what the options say about a character, and nothing else",
                                        "edit fox --wardrobe \"a blue hat\"", run_edit));

  command_on_one("rename", "Give a character another id; everything else stays", "rename fox rusty", run_rename)
      ->add_option("new_id", options_->new_id, "Its new id")
      ->required();
  command_on_one("remove", "Remove a character and its memory; asks first", "remove fox", run_remove)
      ->add_flag("-y,--yes", options_->yes, "Do not ask");
}

void CastCommands::add_cards() {
  CLI::App* import = command("import", "Add a character from a Character Card (V3, V2 or older)", "import hero.png --id hero", run_import);
  import->add_option("card", options_->card, "A .json, .png, .charx, .jpeg or .webp file, or - for standard input")->required();
  import->add_option("--id", options_->id, "Its id here (default: the card's, or made from its name)");
  import->add_flag("--replace", options_->replace, "Replace the character with this id; its memory stays");
  add_model_folder(*import, options_->model);

  CLI::App* write = command_on_one("export", "Write a character as a Character Card V3, without the reference media on this machine",
                                   "export fox fox.png", run_export);
  write->add_option("card", options_->card, "FILE.json, FILE.png (needs a picture), FILE.charx, or - for JSON on standard output")
      ->required();
  add_overwrite_options(*write, options_->overwriting);
}

void CastCommands::add_memory() {
  CLI::App* remember = command_on_one("remember", "Keep what happened to a character",
                                      "remember fox \"found the lantern\" --film moonlight --shot s020", run_remember);
  remember->add_option("text", options_->memory.text, "What happened: \"found the lantern\"")->required();
  options_->memory.type = "event";
  remember->add_option("--type", options_->memory.type, "Its kind, for example event, wardrobe, possession")->capture_default_str();
  remember->add_option("--film", options_->memory.film, "In which film");
  remember->add_option("--shot", options_->memory.shot, "In which shot");
  remember->add_option("--time", options_->memory.time_ms, "When, on the film clock")->type_name("MS")->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_cast_command(CLI::App& app) {
  CLI::App* cast = app.add_subcommand("cast", "Keep characters across films: their look, wardrobe, voice and what happened to them");
  cast->require_subcommand(1);
  cast->footer(
      footer("  fabula cast add fox --look \"an orange fox\" --voice-id rms\n"
             "  fabula cast import hero.png        (a Character Card: .json, .png or .charx)\n"
             "  fabula cast remember fox \"found the lantern\" --film moonlight --shot s020\n"
             "  fabula cast show fox\n\n"
             "The cast is one file: --cast, else $XDG_DATA_HOME/fabula/cast.db, else ~/.local/share/fabula/cast.db.",
             cast_codes));
  CastCommands commands(*cast);
  commands.add_reading();
  commands.add_changing();
  commands.add_cards();
  commands.add_memory();
}

}  // namespace fabula::cli
