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
  std::int32_t image_token = -1;  ///< the placeholder, one for each row of an image; negative: the model reads text only
  std::int32_t video_token = -1;  ///< refused: videos are not supported

  /// Throws Error as Qwen3Config::open does.
  static Qwen3VlConfig open(const std::filesystem::path& config_json);
};

struct Qwen3Vl {
  Qwen3VlConfig config;
  Qwen3 decoder;
  VisionTower vision;
};

/// Takes all tensors of `weights`, which must outlive the model. Throws Error(bad_data) naming what is missing or left.
[[nodiscard]] Qwen3Vl load_qwen3_vl(const Qwen3VlConfig&, Weights& weights);

struct PatchedImage {
  Tensor pixels;  ///< (patches, patch_width): see()
  PatchGrid grid;
};

/// A prompt in which each image has one placeholder -> one with a placeholder for each of its rows. Throws Error(bad_data) where the
/// placeholders are not as many as the images.
[[nodiscard]] std::vector<std::int32_t> expand_placeholders(const Qwen3VlConfig&, std::span<const std::int32_t> tokens,
                                                            std::span<const PatchGrid> images);

/// The rotary positions of expanded tokens, the first at `start` (Qwen3VLModel.get_rope_index): an image stands still in time, spreads over
/// height and width, and text goes on where its longer side ends. Throws Error(bad_data) for placeholders that are not the images' rows,
/// for an image whose sides are no multiples of the merge size, and for a video.
[[nodiscard]] std::vector<RopePosition> rope_positions(const Qwen3VlConfig&, std::span<const std::int32_t> tokens,
                                                       std::span<const PatchGrid> images, std::int32_t start);

/// forward() of expanded tokens and the images among them, after what is in the cache; an image is not cut over two calls. Throws
/// Error(bad_data) as rope_positions does.
Tensor forward(Context&, const Qwen3Vl&, KvCache&, std::span<const std::int32_t> tokens, std::span<const PatchedImage> images,
               Logits wanted, const StateReceiver& keep = nullptr);

}  // namespace fabula
