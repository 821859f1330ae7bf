// Where the model is.
#pragma once

#include <filesystem>
#include <string>

namespace fabula::cli {

/// The bundle's folder: `given`, or assets/models/nano beside or above the program. Throws Error(unavailable) if there is none.
[[nodiscard]] std::filesystem::path locate_bundle(const std::string& given);

}  // namespace fabula::cli
