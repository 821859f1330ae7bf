// The text encoder of MiniMax-H3: the states of a Qwen3-VL after 50 layers condition the transformer. Reference:
// get_qwen3vl_prompt_embeds (diffusers).
#pragma once

#include <cstddef>
#include <filesystem>

#include "engine/conditioning.h"
#include "engine/machine.h"
#include "planner/h3/presentation.h"
#include "planner/lm/qwen3_vl.h"

namespace fabula::h3 {

/// In no file: hidden_states[50] of the reference, before any norm. Later layers stay unread.
constexpr std::int64_t encoder_layers = 50;

class TextEncoder {
 public:
  /// Loads the layers that are used, and the vision tower where `sees`. Throws Error: input_missing; bad_data, also for a model of 50
  /// layers or fewer.
  TextEncoder(const std::filesystem::path& folder, bool sees, Precision precision, Machine machine);
  TextEncoder(const TextEncoder&) = delete;
  TextEncoder& operator=(const TextEncoder&) = delete;

  /// One state per token, and their tags. Throws Error(bad_data) where placeholders in the prompt do not match the blocks.
  [[nodiscard]] Conditioning encode(const Presentation&) const;

  /// Bytes of weights.
  [[nodiscard]] std::size_t bytes() const { return weights_.bytes(); }

 private:
  Machine machine_;
  Weights weights_;
  Qwen3Vl model_;  // of weights_
};

/// What the encoder's used weights take in memory, from the files' headers: the layers with the embeddings, and the vision tower. Throws
/// Error as TextEncoder's constructor does.
struct EncoderMemory {
  std::size_t layers = 0, vision = 0;
};
[[nodiscard]] EncoderMemory encoder_memory(const std::filesystem::path& folder, Precision precision);

}  // namespace fabula::h3
