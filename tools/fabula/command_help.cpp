// `fabula help`: what --help prints, by the command's name.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "tools/fabula/arguments.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/nearest.h"

namespace fabula::cli {

namespace {

void print_help(const CLI::App& app, const std::vector<std::string>& names) {
  const CLI::App* at = &app;
  std::string called = "fabula";
  for (const std::string& name : names) {
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : at->get_subcommands([&](const CLI::App* one) { return one->get_name() == name; })) next = sub;
    if (next == nullptr) {
      const std::string meant = nearest(name, command_names(*at));
      throw Error(ExitCode::usage, (at == &app ? "there is no" : at->get_name() + " has no") + std::string(" command ") + name +
                                       (meant.empty() ? "" : " (did you mean " + meant + "?)"));
    }
    at = next;
    called += " " + name;
  }
  // Not at->help(): that would describe the command that is running, which is this one.
  std::fputs(at->get_formatter()->make_help(at, called, CLI::AppFormatMode::Normal).c_str(), stdout);
}

}  // namespace

void add_help_command(CLI::App& app) {
  CLI::App* help = app.add_subcommand("help", "Explain a command: fabula help render");
  help->footer("Examples:\n  fabula help\n  fabula help cast add");
  const auto names = std::make_shared<std::vector<std::string>>();
  help->add_option("command", *names, "The command, for example: cast add");
  help->callback([&app, names] { print_help(app, *names); });
}

}  // namespace fabula::cli
