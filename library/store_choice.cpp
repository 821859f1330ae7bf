// Opens the store of finished shots.
#include "library/store_choice.h"

#include <CLI/CLI.hpp>

namespace fabula {

void add_store_folder(CLI::App& command, std::string& folder) {
  command.add_option("--store", folder, "Folder of finished shots (default: $XDG_CACHE_HOME/fabula/shots, else ~/.cache/fabula/shots)")
      ->type_name("DIR");
}

void add_store_options(CLI::App& command, StoreChoice& choice) {
  add_store_folder(command, choice.folder);
  command.add_flag("--no-store", choice.none, "Make every shot, and keep none")->excludes("--store");
  command.add_flag("--any-machine", choice.any_machine, "Also reuse shots that another kind of processor made; their last bits may differ");
}

std::unique_ptr<ShotStore> open_store(const StoreChoice& choice, const std::filesystem::path& folder, const std::string& profile) {
  if (choice.none || folder.empty()) return nullptr;
  StoreOptions options;
  options.folder = folder;
  options.profile = profile;
  options.any_profile = choice.any_machine;
  if (!choice.folder.empty()) options.most_bytes = StoreOptions::unbounded;  // a farm's shots wait there to be assembled
  return std::make_unique<ShotStore>(std::move(options));
}

}  // namespace fabula
