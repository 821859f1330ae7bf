// Where the cast is kept, and the time that its memories carry.
#pragma once

#include <filesystem>
#include <string>

namespace fabula::cli {

/// The cast's file: `given`, or the user's own, whose folder is created if `create`. Throws Error: configuration where no home is known,
/// cannot_create.
[[nodiscard]] std::filesystem::path cast_file(const std::string& given, bool create);

/// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string utc_now();

}  // namespace fabula::cli
