// Finds and opens the store of finished shots.
#include "tools/fabula/store_choice.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"

namespace fabula::cli {

namespace fs = std::filesystem;

void add_store_folder(CLI::App& command, std::string& folder) {
  command.add_option("--store", folder, "Folder of finished shots (default: $XDG_CACHE_HOME/fabula/shots, else ~/.cache/fabula/shots)")
      ->type_name("DIR");
}

void add_store_options(CLI::App& command, StoreChoice& choice) {
  add_store_folder(command, choice.folder);
  command.add_flag("--no-store", choice.none, "Make every shot, and keep none")->excludes("--store");
  command.add_flag("--any-machine", choice.any_machine, "Also reuse shots that another kind of processor made; their last bits may differ");
}

fs::path store_folder(const std::string& given) {
  if (!given.empty()) return given;
  // A relative XDG_CACHE_HOME is to be ignored (XDG base directory specification).
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && fs::path(cache).is_absolute())
    return fs::path(cache) / "fabula/shots";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".cache/fabula/shots";
  return {};
}

std::unique_ptr<ShotStore> open_store(const StoreChoice& choice, const std::string& profile) {
  if (choice.none) return nullptr;
  StoreOptions options;
  options.folder = store_folder(choice.folder);
  options.profile = profile;
  options.any_profile = choice.any_machine;
  if (options.folder.empty()) return nullptr;
  try {
    return std::make_unique<ShotStore>(std::move(options));
  } catch (const Error& error) {
    if (!choice.folder.empty()) throw;
    std::fprintf(stderr, "fabula: %s; finished shots are not kept\n", error.what());
    return nullptr;
  }
}

}  // namespace fabula::cli
