// The user's own cache: finished shots, and digests of a model's files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/sha256.h"
#include "library/store_choice.h"

namespace fabula::cli {

/// `given`, else $XDG_CACHE_HOME/fabula/shots, else ~/.cache/fabula/shots; empty where none of these is known.
[[nodiscard]] std::filesystem::path store_folder(const std::string& given);

/// Of files of the model: digests of large ones are remembered in $XDG_CACHE_HOME/fabula/digests, else ~/.cache/fabula/digests, for as long
/// as they do not change. Reading that takes long is said once on standard error.
[[nodiscard]] FileDigest remembered_digest();

/// The store, or null for none. Throws Error(cannot_create) for a folder that was asked for; the user's own is done without where it cannot
/// be made, which is reported on standard error.
[[nodiscard]] std::unique_ptr<ShotStore> open_store(const StoreChoice&, const std::string& profile);

}  // namespace fabula::cli
