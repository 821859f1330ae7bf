// Which store of finished shots a command uses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/film/store.h"

namespace CLI {
class App;
}

namespace fabula::cli {

struct StoreChoice {
  std::string folder;        ///< empty: the user's own
  bool none = false;         ///< no store: every shot is made
  bool any_machine = false;  ///< shots that another kind of processor made are used, too
};
/// --store, --no-store and --any-machine.
void add_store_options(CLI::App&, StoreChoice&);
/// --store alone.
void add_store_folder(CLI::App&, std::string& folder);

/// `given`, else $XDG_CACHE_HOME/fabula/shots, else ~/.cache/fabula/shots; empty where none of these is known.
[[nodiscard]] std::filesystem::path store_folder(const std::string& given);

/// The store, or null for none. Throws Error(cannot_create) for a folder that was asked for; the user's own is done without where it cannot
/// be made, which is reported on standard error.
[[nodiscard]] std::unique_ptr<ShotStore> open_store(const StoreChoice&, const std::string& profile);

}  // namespace fabula::cli
