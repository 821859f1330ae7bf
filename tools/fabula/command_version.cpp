// `fabula version`: the build and what it runs on.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/processor.h"

namespace fabula::cli {

namespace {

using nlohmann::ordered_json;

// "libavcodec 59.37.100,oneDNN 2.6.3", as the build found them.
ordered_json libraries() {
  ordered_json found = ordered_json::object();
  std::istringstream list(FABULA_LIBRARIES);
  for (std::string one; std::getline(list, one, ',');) {
    const std::size_t blank = one.find(' ');
    found[one.substr(0, blank)] = one.substr(blank + 1);
  }
  return found;
}

void run(bool json) {
  const ordered_json version = {
      {"version", FABULA_VERSION}, {"commit", FABULA_COMMIT}, {"instruction_set", processor_profile()}, {"libraries", libraries()}};
  if (json) {
    std::printf("%s\n", version.dump(2).c_str());
    return;
  }
  std::printf("fabula %s\n", FABULA_VERSION);
  std::printf("  commit           %s\n  instruction set  %s\n", FABULA_COMMIT, processor_profile().c_str());
  for (const auto& [name, number] : version["libraries"].items())
    std::printf("  %-15s  %s\n", name.c_str(), number.get<std::string>().c_str());
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
