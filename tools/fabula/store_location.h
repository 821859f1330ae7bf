// Where the user's finished shots are kept.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "library/store_choice.h"

namespace fabula::cli {

/// `given`, else $XDG_CACHE_HOME/fabula/shots, else ~/.cache/fabula/shots; empty where none of these is known.
[[nodiscard]] std::filesystem::path store_folder(const std::string& given);

/// The store, or null for none. Throws Error(cannot_create) for a folder that was asked for; the user's own is done without where it cannot
/// be made, which is reported on standard error.
[[nodiscard]] std::unique_ptr<ShotStore> open_store(const StoreChoice&, const std::string& profile);

}  // namespace fabula::cli
