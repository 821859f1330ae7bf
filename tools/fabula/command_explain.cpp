// `fabula explain`: what an exit code means and what to do about it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/error.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"

namespace fabula::cli {

namespace {

void print_all() {
  for (const ExitCodeEntry& entry : exit_codes()) std::printf("%4d  %s\n", entry.code, entry.brief);
}

void print_one(int code) {
  for (const ExitCodeEntry& entry : exit_codes()) {
    if (entry.code != code) continue;
    std::printf("%d  %s\n%s\n%s\n", entry.code, entry.brief, entry.meaning, entry.advice);
    return;
  }
  throw Error(ExitCode::usage, std::to_string(code) + " is no exit code of Fabula; `fabula explain` lists them");
}

}  // namespace

void add_explain_command(CLI::App& app) {
  CLI::App* explain = app.add_subcommand("explain", "Say what an exit code means and what to do about it");
  explain->footer(
      footer("  fabula explain 73\n"
             "  fabula explain        (all codes)",
             {0, 2, 74}));
  const auto code = std::make_shared<std::optional<int>>();
  explain->add_option("code", *code, "The exit code of a command (default: list all)")->type_name("CODE");
  explain->callback([code] { *code ? print_one(**code) : print_all(); });
}

}  // namespace fabula::cli
