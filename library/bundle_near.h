// The model that was installed with a program or a library.
#pragma once

#include <filesystem>

namespace fabula {

[[nodiscard]] bool is_bundle(const std::filesystem::path& folder);

/// The bundle that came with `file`: share/fabula/models/nano of an installed tree, which may have been moved, or assets/models/nano of a
/// checkout, in the file's folder or one above it. Empty if there is none.
[[nodiscard]] std::filesystem::path bundle_near(const std::filesystem::path& file);

}  // namespace fabula
