// `fabula doctor`: whether everything that a film needs is there and whole.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/bundle.h"
#include "kernels/instruction_set.h"
#include "library/device_choice.h"
#include "library/options.h"
#include "library/render.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/cast_file.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/configuration.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/store_location.h"
#include "video/io/sinks.h"

extern char** environ;

namespace fabula::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

// One thing looked at. Throws Error where it is not as it should be.
struct Check {
  const char* what;
  std::function<std::string()> look;
};

std::string in_megabytes(std::uintmax_t bytes) { return std::to_string(bytes / 1000000) + " MB"; }

std::string processor() {
  return instruction_set_name() + ", " + std::to_string(thread_count(0)) + " threads, \"auto\" is " + name_of(precision_of("auto"));
}

// The bundle's own list of hashes.
std::string model(const std::string& given) {
  const Bundle bundle = Bundle::open(locate_bundle(given));
  const auto description = nlohmann::json::parse(read_file(bundle.folder / "fabula.json"), nullptr, /*allow_exceptions=*/false);
  std::size_t whole = 0;
  if (description.contains("files") && description["files"].is_object()) {
    for (const auto& [file, hash] : description["files"].items()) {
      if (!hash.is_string() || sha256_of(bundle.folder / file) != hash.get<std::string>())
        throw Error(ExitCode::bad_data,
                    (bundle.folder / file).string() + " is not the file that fabula.json lists: install the model again");
      ++whole;
    }
  }
  return bundle.name + " " + bundle.version + " in " + bundle.folder.string() + ", " + std::to_string(whole) + " files whole";
}

// Opening a film asks for its encoders.
std::string encoders() {
  const fs::path scratch = fs::temp_directory_path() / ("fabula_doctor_" + std::to_string(::getpid()) + ".mp4");
  SinkOptions how;
  how.width = how.height = 64;
  const auto film = containers().front().open(scratch, how);
  film->frame({64, 64, std::vector<std::uint8_t>(std::size_t{64} * 64 * 3, 128)});
  return "H.264 and AAC can be written into " + container_extensions();
}

std::string folder_state(const fs::path& folder) {
  if (::access(folder.c_str(), W_OK) != 0) throw Error(ExitCode::cannot_create, folder.string() + " cannot be written");
  return folder.string() + ", " + in_megabytes(fs::space(folder).available) + " free";
}

std::string store() {
  fs::path folder = store_folder("");
  if (folder.empty()) throw Error(ExitCode::configuration, "neither XDG_CACHE_HOME nor HOME says where shots are kept");
  if (fs::is_directory(folder)) return folder_state(folder);
  while (!fs::exists(folder) && folder.has_parent_path()) folder = folder.parent_path();  // the render makes it there
  return "none yet, to be made below " + folder_state(folder);
}

std::string cast() {
  const fs::path file = cast_file("", false);
  return file.string() + (fs::exists(file) ? "" : ", none yet");
}

std::string configuration(const CLI::App& app) {
  std::string found;
  for (const fs::path& file : configuration_files()) {
    if (fs::exists(file)) found += (found.empty() ? "" : ", ") + file.string();
  }
  static_cast<void>(with_configuration(app, {"render"}));  // reads all of them
  return found.empty() ? "no files" : found;
}

void collect_variables(const CLI::App& app, std::set<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.insert(variable_of(name));
  }
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) collect_variables(*one, names);
}

std::string environment(const CLI::App& app) {
  std::set<std::string> known;
  collect_variables(app, known);
  std::string set, strange;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable = *at, name = variable.substr(0, variable.find('='));
    if (!name.starts_with("FABULA_")) continue;
    std::string& list = known.contains(name) ? set : strange;
    list += (list.empty() ? "" : ", ") + name;
  }
  if (!strange.empty()) throw Error(ExitCode::configuration, "no option is set by " + strange);
  return set.empty() ? "no FABULA_ variables" : set;
}

std::vector<Check> checks(const CLI::App& app, const std::string& bundle) {
  return {{"processor", processor},
          {"graphics", graphics_text},
          {"memory", [] { return in_megabytes(available_memory()) + " free"; }},
          {"model", [&bundle] { return model(bundle); }},
          {"encoders", encoders},
          {"this folder", [] { return folder_state("."); }},
          {"temporary", [] { return folder_state(fs::temp_directory_path()); }},
          {"shots", store},
          {"cast", cast},
          {"configuration", [&app] { return configuration(app); }},
          {"environment", [&app] { return environment(app); }}};
}

void run(const CLI::App& app, const std::string& bundle, bool json) {
  std::size_t faults = 0;
  ordered_json list = ordered_json::array();
  for (const Check& check : checks(app, bundle)) {
    std::string text;
    bool is_well = true;
    try {
      text = check.look();
    } catch (const std::exception& error) {  // also of the file system
      text = error.what();
      is_well = false;
      ++faults;
    }
    if (json)
      list.push_back({{"check", check.what}, {"ok", is_well}, {"text", text}});
    else
      std::printf("%-5s  %-13s  %s\n", is_well ? "ok" : "FAULT", check.what, text.c_str());
  }
  if (json) std::printf("%s\n", list.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  if (faults > 0) throw Error(ExitCode::unavailable, std::to_string(faults) + (faults == 1 ? " fault was" : " faults were") + " found");
}

}  // namespace

void add_doctor_command(CLI::App& app) {
  CLI::App* doctor = app.add_subcommand("doctor", "Check that everything a film needs is there and whole");
  doctor->footer(footer("  fabula doctor\n  fabula doctor --model DIR --json", {0, 2, 69, 78}));
  const auto model = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  add_model_folder(*doctor, *model);
  doctor->add_flag("--json", *json, "Print as JSON");
  doctor->callback([&app, model, json] { run(app, *model, *json); });
}

}  // namespace fabula::cli
