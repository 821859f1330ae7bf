// `fabula version`: the build and what it runs on.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "library/version.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"

namespace fabula::cli {

namespace {

void run(bool json) {
  const BuildVersion build = build_version();
  if (json) {
    nlohmann::ordered_json out = {{"version", build.version}, {"commit", build.commit}, {"instruction_set", build.instruction_set}};
    out["libraries"] = nlohmann::ordered_json::object();
    for (const auto& [name, number] : build.libraries) out["libraries"][name] = number;
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  std::printf("fabula %s\n", build.version.c_str());
  std::printf("  commit           %s\n  instruction set  %s\n", build.commit.c_str(), build.instruction_set.c_str());
  for (const auto& [name, number] : build.libraries) std::printf("  %-15s  %s\n", name.c_str(), number.c_str());
}

}  // namespace

void add_version_command(CLI::App& app) {
  CLI::App* version = app.add_subcommand("version", "Print the version, the commit, the instruction set and the libraries");
  version->footer(footer("  fabula version --json", {0, 2, 74}));
  const auto json = std::make_shared<bool>(false);
  version->add_flag("--json", *json, "Print as JSON");
  version->callback([json] { run(*json); });
}

}  // namespace fabula::cli
