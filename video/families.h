// Which code makes the clips of which bundle.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/clip_model.h"
#include "engine/context.h"

namespace fabula {

/// The clip model of a bundle, by the "family" of its fabula.json. Throws Error: unavailable for a folder without a bundle or a family that
/// is unknown here; input_missing, bad_data for parts that are absent or malformed.
[[nodiscard]] std::unique_ptr<ClipModel> load_clip_model(const std::filesystem::path& bundle, Precision precision, int threads);

}  // namespace fabula
