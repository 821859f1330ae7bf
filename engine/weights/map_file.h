// A whole file in memory, read where it is touched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace fabula {

struct MappedFile {
  std::shared_ptr<const void> memory;  ///< null for an empty file; read-only
  std::uint64_t size = 0;              ///< bytes
};

/// Throws Error: input_missing for what cannot be opened or is not a regular file, io if mapping fails.
[[nodiscard]] MappedFile map_file(const std::filesystem::path& file);

}  // namespace fabula
