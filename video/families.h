// Loads the clip model of a bundle, whichever family it is of.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/clip_model.h"
#include "engine/machine.h"

namespace fabula {

/// The clip model of a bundle, by the "family" of its fabula.json. Throws Error: unavailable for a folder without a bundle or a family that
/// is unknown here; input_missing, bad_data for parts that are absent or malformed.
[[nodiscard]] std::unique_ptr<ClipModel> load_clip_model(const std::filesystem::path& bundle, Precision, const Machine&);

}  // namespace fabula
