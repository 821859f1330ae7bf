// Latents as the transformer's rows: one row per patch. Reference: MiniMaxH3PatchifyStep (diffusers).
#pragma once

#include "engine/ops.h"
#include "video/h3/layout.h"

namespace fabula::h3 {

/// latents (channels, frames, height, width) -> rows (patches, channels · patch volume), frame by frame, then row by row. Throws
/// Error(internal) where the geometry's patches do not divide the latents or `rows` is of another size.
void patchify(Context&, Tensor latents, const ClipGeometry&, Tensor rows);
/// The inverse.
void unpatchify(Context&, Tensor rows, const ClipGeometry&, Tensor latents);

}  // namespace fabula::h3
