// Turns configuration into arguments, in front of which everything else stays as it is.
#include "tools/fabula/configuration.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>

#include "base/error.h"
#include "tools/fabula/arguments.h"
#include "tools/fabula/nearest.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

// Said on the command line alone: what a command does, what it writes and what it replaces.
constexpr std::array<std::string_view, 12> never = {"help",  "version", "output", "overwrite", "no-clobber", "save-plan",
                                                    "batch", "check",   "schema", "shots",     "dry-run",    "replace"};

std::string long_name(const CLI::Option& option) { return option.get_lnames().empty() ? "" : option.get_lnames().front(); }

bool is_configurable(const CLI::Option& option) {
  const std::string name = long_name(option);
  return !name.empty() && std::find(never.begin(), never.end(), name) == never.end();
}

const CLI::Option* option_of(const CLI::App& command, const std::string& name) {
  const CLI::Option* option = command.get_option_no_throw("--" + name);
  return option != nullptr && is_configurable(*option) ? option : nullptr;
}

// The command that the arguments name, and how many words that takes.
std::pair<const CLI::App*, std::size_t> command_of(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* command = &app;
  std::size_t words = 0;
  while (words < arguments.size()) {
    const std::vector<std::string> names = command_names(*command);
    if (std::find(names.begin(), names.end(), arguments[words]) == names.end()) break;
    command = command->get_subcommand(arguments[words++]);
  }
  return {command, words};
}

// The options that the arguments give. Of "-qn" both letters count; of "-oq" the second is a value, which does no harm here.
std::set<const CLI::Option*> given_in(const CLI::App& command, const std::vector<std::string>& arguments) {
  std::set<const CLI::Option*> given;
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument.starts_with("--")) {
      given.insert(command.get_option_no_throw(argument.substr(0, argument.find('='))));
    } else if (argument.size() > 1 && argument[0] == '-') {
      for (const char letter : argument.substr(1)) given.insert(command.get_option_no_throw(std::string{'-', letter}));
    }
  }
  given.erase(nullptr);
  return given;
}

using Values = std::map<std::string, std::vector<std::string>>;  // of one source: option -> values

bool some_command_has(const CLI::App& app, const std::string& option) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  return option_of(app, option) != nullptr ||
         std::any_of(commands.begin(), commands.end(), [&](const CLI::App* one) { return some_command_has(*one, option); });
}

void collect_options(const CLI::App& app, std::set<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    if (is_configurable(*option)) names.insert(long_name(*option));
  }
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) collect_options(*one, names);
}

[[noreturn]] void refuse_key(const CLI::App& app, const fs::path& file, const std::string& where, const std::string& key) {
  std::set<std::string> names;
  collect_options(app, names);
  const std::vector<std::string> candidates(names.begin(), names.end());
  const std::string meant = nearest(key, candidates);
  throw Error(ExitCode::configuration, file.string() + ": " + where + " the option \"" + key + "\" that a configuration may set" +
                                           (meant.empty() ? "" : " (did you mean " + meant + "?)"));
}

// The command of a section such as "render" or "cast.add"; null: no such command.
const CLI::App* command_of_section(const CLI::App& app, const std::vector<std::string>& words) {
  const auto [command, count] = command_of(app, words);
  return count == words.size() ? command : nullptr;
}

// What a file says to `command`: its own section, then what stands above all sections.
Values values_in(const CLI::App& app, const CLI::App& command, const fs::path& file) {
  std::ifstream in(file);
  if (!in) return {};
  Values own, common;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(in)) {
    if (item.name == "++" || item.name == "--") continue;  // CLI11's marks of where a section begins and ends
    if (item.parents.empty()) {
      if (!some_command_has(app, item.name)) refuse_key(app, file, "no command has", item.name);
      common[item.name] = item.inputs;
      continue;
    }
    const CLI::App* section = command_of_section(app, item.parents);
    const std::string words = CLI::detail::join(item.parents, " ");
    if (section == nullptr) throw Error(ExitCode::configuration, file.string() + ": there is no command [" + words + "]");
    if (option_of(*section, item.name) == nullptr) refuse_key(app, file, words + " has not", item.name);
    if (section == &command) own[item.name] = item.inputs;
  }
  own.insert(common.begin(), common.end());
  return own;
}

Values values_in_environment(const CLI::App& command) {
  Values values;
  for (const CLI::Option* option : command.get_options()) {
    if (!is_configurable(*option)) continue;
    if (const char* value = std::getenv(variable_of(long_name(*option)).c_str())) values[long_name(*option)] = {value};
  }
  return values;
}

bool lacks_any(const CLI::Option& option, const std::set<const CLI::Option*>& given) {
  const std::set<CLI::Option*> needed = option.get_needs();
  return std::any_of(needed.begin(), needed.end(), [&](const CLI::Option* other) { return !given.contains(other); });
}

bool excludes_any(const CLI::Option& option, const std::set<const CLI::Option*>& given) {
  const std::set<CLI::Option*> excluded = option.get_excludes();
  return std::any_of(excluded.begin(), excluded.end(), [&](const CLI::Option* other) { return given.contains(other); });
}

}  // namespace

std::string variable_of(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return static_cast<char>(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  });
  return "FABULA_" + name;
}

std::vector<fs::path> configuration_files() {
  std::vector<fs::path> files = {"fabula.toml"};
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config != nullptr && fs::path(config).is_absolute())  // the specification has a relative one ignored
    files.push_back(fs::path(config) / "fabula/config.toml");
  else if (home != nullptr && *home != '\0')
    files.push_back(fs::path(home) / ".config/fabula/config.toml");
  files.emplace_back("/etc/fabula/config.toml");
  return files;
}

Configured with_configuration(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto [command, words] = command_of(app, arguments);
  if (command == &app) return {arguments, {}};
  std::set<const CLI::Option*> given = given_in(*command, arguments);
  Configured result;
  std::vector<std::string> added;
  const auto add_those = [&](const Values& values, const auto& origin_of) {
    for (const auto& [name, inputs] : values) {
      const CLI::Option* option = option_of(*command, name);
      if (option == nullptr || given.contains(option) || excludes_any(*option, given) || lacks_any(*option, given)) continue;
      given.insert(option);
      for (const std::string& input : inputs) added.push_back("--" + name + "=" + input);
      result.origins["--" + name] = origin_of(name);
    }
  };
  const auto add = [&](const Values& values, const auto& origin_of) {
    add_those(values, origin_of);
    add_those(values, origin_of);  // those that need others of this source
  };
  add(values_in_environment(*command), variable_of);
  for (const fs::path& file : configuration_files()) add(values_in(app, *command, file), [&](const std::string&) { return file.string(); });
  result.arguments = arguments;
  result.arguments.insert(result.arguments.begin() + static_cast<std::ptrdiff_t>(words), added.begin(), added.end());
  return result;
}

}  // namespace fabula::cli
