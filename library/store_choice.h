// Which store of finished shots a film uses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/film/store.h"

namespace CLI {
class App;
}

namespace fabula {

struct StoreChoice {
  std::string folder;        ///< empty: as the caller has it, the user's own or none
  bool none = false;         ///< no store: every shot is made
  bool any_machine = false;  ///< shots that another kind of processor made are used, too
};
/// --store, --no-store and --any-machine.
void add_store_options(CLI::App&, StoreChoice&);
/// --store alone.
void add_store_folder(CLI::App&, std::string& folder);

/// The store in `folder`, or null where that is empty or none is wanted. Throws Error(cannot_create).
[[nodiscard]] std::unique_ptr<ShotStore> open_store(const StoreChoice&, const std::filesystem::path& folder, const std::string& profile);

}  // namespace fabula
