// The vision tower of Qwen3-VL (transformers: Qwen3VLVisionModel): patches of one image become rows of the language model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/weights/weights.h"

namespace fabula {

struct VisionConfig {
  std::int64_t depth = 0, hidden = 0, intermediate = 0, heads = 0;
  std::int64_t channels = 3, patch = 0, temporal_patch = 0;  ///< a patch: temporal_patch frames of patch × patch pixels
  std::int64_t merge = 0;                                    ///< merge × merge patches make one row of the language model
  std::int64_t out_hidden = 0;                               ///< width of that row
  std::int64_t position_side = 0;                            ///< side of the square grid of learned positions
  double rope_theta = 1e4;
  std::vector<std::int64_t> deepstack;  ///< blocks whose features feed the decoder's first layers; ascending

  [[nodiscard]] std::int64_t head_dim() const { return hidden / heads; }
  /// Values in a patch: (channels, temporal_patch, patch, patch).
  [[nodiscard]] std::int64_t patch_width() const { return channels * temporal_patch * patch * patch; }
};

struct LayerNorm {
  Tensor weight, bias;
};

struct VisionBlock {
  LayerNorm norm1, norm2;
  Linear q, k, v, proj;  ///< hidden -> hidden
  Linear fc1, fc2;       ///< hidden -> intermediate, and back
};

/// Qwen3VLVisionPatchMerger: joins merge² neighbouring rows into one of out_hidden.
struct PatchMerger {
  bool normed_after_merging = false;  ///< the norm spans merge² · hidden, else hidden
  LayerNorm norm;
  Linear fc1, fc2;  ///< merge² · hidden -> the same -> out_hidden
};

struct VisionTower {
  VisionConfig config;
  Linear patch_embed;  ///< patch_width -> hidden
  Tensor positions;    ///< (position_side², hidden)
  std::vector<VisionBlock> blocks;
  PatchMerger merger;
  std::vector<PatchMerger> deepstack;  ///< one per entry of config.deepstack
};

/// Takes the tensors `model.visual.*`; `weights` must outlive the tower. Throws Error(bad_data) naming a missing one.
[[nodiscard]] VisionTower take_vision(const VisionConfig&, Weights& weights);

/// The size of an image in patches; both sides are multiples of the merge size.
struct PatchGrid {
  std::int64_t height = 0, width = 0;

  [[nodiscard]] std::int64_t patches() const { return height * width; }
  /// Rows of the language model.
  [[nodiscard]] std::int64_t merged(const VisionConfig& config) const { return patches() / (config.merge * config.merge); }
};

/// pixels (patches, patch_width): flattened patches in the order of the reference's image processor: merge × merge blocks row by row, and
/// row by row inside a block. Writes `features` and one tensor of `deepstack` per merger of the tower, each (merged, out_hidden).
void see(Context&, const VisionTower&, Tensor pixels, const PatchGrid&, Tensor features, std::span<const Tensor> deepstack);

}  // namespace fabula
