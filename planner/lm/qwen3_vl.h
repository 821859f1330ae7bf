// Qwen3-VL (transformers: Qwen3VLForConditionalGeneration): the decoder reads text and images. Text alone needs qwen3.h only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "planner/lm/qwen3.h"
#include "planner/lm/qwen3_vl_vision.h"

namespace fabula {

struct Qwen3VlConfig {
  Qwen3Config text;
  VisionConfig vision;
  std::int32_t image_token = -1;  ///< the placeholder, one per row of an image; negative: text only
  std::int32_t video_token = -1;  ///< the placeholder for a row of a video: each pair of frames is an image of its own

  /// Throws Error like Qwen3Config::open.
  static Qwen3VlConfig open(const std::filesystem::path& config_json);
};

struct Qwen3Vl {
  Qwen3VlConfig config;
  Qwen3 decoder;
  VisionTower vision;
};

/// Takes all tensors from `weights`, which must outlive the model. Throws Error(bad_data) naming a missing or leftover one.
[[nodiscard]] Qwen3Vl load_qwen3_vl(const Qwen3VlConfig&, Weights& weights);

struct PatchedImage {
  Tensor pixels;  ///< (patches, patch_width): see()
  PatchGrid grid;
};

/// Expands the one placeholder per image of a prompt to one per row. Throws Error(bad_data) if there are not as many placeholders as
/// images.
[[nodiscard]] std::vector<std::int32_t> expand_placeholders(const Qwen3VlConfig&, std::span<const std::int32_t> tokens,
                                                            std::span<const PatchGrid> images);

/// The rotary positions of expanded tokens, the first at `start` (Qwen3VLModel.get_rope_index): an image has one time and spreads over
/// height and width; text continues after its longer side. Throws Error(bad_data) for placeholders that do not match the images' rows, for
/// image sides that are not multiples of the merge size.
[[nodiscard]] std::vector<RopePosition> rope_positions(const Qwen3VlConfig&, std::span<const std::int32_t> tokens,
                                                       std::span<const PatchGrid> images, std::int32_t start);

/// forward() of expanded tokens with their images, continuing the cache; an image must not be split between two calls. Throws
/// Error(bad_data) like rope_positions.
Tensor forward(Context&, const Qwen3Vl&, KvCache&, std::span<const std::int32_t> tokens, std::span<const PatchedImage> images,
               Logits wanted, const StateReceiver& keep = nullptr);

}  // namespace fabula
