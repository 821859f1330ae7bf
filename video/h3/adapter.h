// LoRA files for the transformer, as diffusers writes them. Reference: MiniMaxH3LoraLoaderMixin, get_peft_kwargs (diffusers).
#pragma once

#include <filesystem>

#include "base/sha256.h"
#include "engine/weights/weights.h"

namespace fabula::h3 {

/// A file and how much of it is added.
struct AdapterFile {
  std::filesystem::path file;
  double scale = 1.0;
};

/// Adds a file's layers to the weights of a transformer that are not taken yet: W + scale · alpha / rank · B·A. `transformer.…` layers are
/// for the transformer that makes the clip, `transformer_ref.…` ones for `follows`, the one that follows references. Alpha is the layer's
/// own tensor, else what the file's metadata says, else the rank. Throws Error: input_missing; bad_data, naming file and layer, for
/// other formats' names, layers that the transformer has not, other shapes, and files with nothing for this transformer.
void add_adapter(Weights&, const AdapterFile&, bool follows);

/// What a clip's latents depend on of it.
void add_to_hash(Sha256&, const AdapterFile&, const FileDigest& digest);

}  // namespace fabula::h3
