// Reads the command line before CLI11 does, and explains it when CLI11 cannot.
#include "tools/fabula/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "library/source.h"
#include "tools/fabula/nearest.h"

namespace fabula::cli {

namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_option(const std::string& argument) { return argument.size() > 1 && argument[0] == '-'; }

bool is_prompt(const std::string& argument) { return !is_option(argument) && argument.find_first_of(" \t\n") != std::string::npos; }

bool is_source(const std::string& argument) { return is_prompt(argument) || (!is_option(argument) && is_source_file(argument)); }

const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// " (did you mean render?)", or "".
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return meant.empty() ? "" : " (did you mean " + meant + "?)";
}

// A sentence about the first argument that the command does not know, or "".
std::string unknown_argument(const CLI::App& app) {
  const CLI::App& command = innermost(app);
  const std::string lacks = &command == &app ? "there is no " : command.get_name() + " has no ";
  const std::vector<std::string> left = command.remaining(), commands = command_names(command);
  for (const std::string& argument : left) {
    const std::string option = argument.substr(0, argument.find('='));
    const std::vector<std::string> options = option_names(command);
    if (std::find(options.begin(), options.end(), option) != options.end())
      return option + " stands behind \"--\", where nothing is an option: put it in front";
    if (is_option(argument) && argument != "--") return lacks + "option " + option + did_you_mean(option, options);
  }
  for (const std::string& argument : left) {
    if (argument == "--") continue;
    if (!commands.empty()) return lacks + "command " + argument + did_you_mean(argument, commands);
    return command.get_name() + " does not take \"" + argument + "\"; a prompt of several words needs quotes";
  }
  return "";
}

}  // namespace

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App* one) { return !one->get_name().empty(); }))
    names.push_back(sub->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string parsed_command(const CLI::App& app) {
  std::string name = "fabula";
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

std::vector<std::string> with_command(const CLI::App& app, std::vector<std::string> arguments) {
  if (arguments.empty()) return arguments;
  const std::string first = arguments[0];
  const auto implied = [&](const char* command) {
    arguments.insert(arguments.begin(), command);
    return arguments;
  };
  if (first == "--version" || first == "-V") {
    arguments[0] = "version";
    return arguments;
  }
  if (first == "--" && arguments.size() > 1) return implied("render");
  if (is_option(first)) {
    const bool of_the_program = has(option_names(app), first) || std::none_of(arguments.begin(), arguments.end(), is_source);
    return of_the_program ? arguments : implied("render");
  }
  const std::vector<std::string> commands = command_names(app);
  if (has(commands, first)) return arguments;
  if (first == "-" || first.empty() || is_prompt(first) || is_source_file(first) || names_a_file(first)) return implied("render");
  throw Error(ExitCode::usage,
              "there is no command " + first + did_you_mean(first, commands) + "; a prompt needs quotes: fabula \"A fox runs.\"");
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  const std::string unknown = unknown_argument(app);
  if (!unknown.empty()) return unknown;
  const CLI::App& command = innermost(app);
  if (command.get_require_subcommand_min() > 0 && command.get_subcommands().empty())
    return (&command == &app ? "name a command: " : command.get_name() + " needs a command: ") +
           CLI::detail::join(command_names(command), ", ");
  return error.what();
}

}  // namespace fabula::cli
