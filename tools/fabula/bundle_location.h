// Where the model is.
#pragma once

#include <filesystem>
#include <string>

namespace fabula::cli {

/// The bundle's folder: `given` (--model, or FABULA_MODEL like any option's variable), else the one that came with the program
/// (share/fabula/models/nano of an installed tree, assets/models/nano of a checkout), else fabula/models/nano in XDG_DATA_HOME or one of
/// XDG_DATA_DIRS. Throws Error(unavailable) if there is none.
[[nodiscard]] std::filesystem::path locate_bundle(const std::string& given);

}  // namespace fabula::cli
