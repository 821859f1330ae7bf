// The text encoder of MiniMax-H3: the states of a Qwen3-VL after 50 layers condition the transformer. Reference:
// get_qwen3vl_prompt_embeds (diffusers).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

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
  TextEncoder(const std::filesystem::path& folder, bool sees, Precision precision, Machine machine,
              Residence residence = Residence::resident);
  TextEncoder(const TextEncoder&) = delete;
  TextEncoder& operator=(const TextEncoder&) = delete;

  /// One state per token, and their tags. Throws Error(bad_data) where placeholders in the prompt do not match the blocks.
  [[nodiscard]] Conditioning encode(const Presentation&) const;

  /// Bytes that encode() takes beside the weights.
  [[nodiscard]] std::size_t footprint(const Presentation&) const;

  /// Bytes of weights.
  [[nodiscard]] std::size_t bytes() const { return weights_.bytes() + model_.decoder.layers.slots_bytes(); }

 private:
  friend PhaseNeeds encoder_needs(const std::filesystem::path&, bool, Precision, const Machine&, std::span<const Presentation>);
  TextEncoder(const std::filesystem::path& folder, bool sees, Weights weights, Machine machine, Residence residence);
  [[nodiscard]] std::size_t arena_bytes(const Presentation&) const;

  Machine machine_;
  Weights weights_;
  Qwen3Vl model_;  // of weights_
};

/// What the phase that encodes these presentations takes, from the files' headers. Throws Error as TextEncoder's constructor does.
[[nodiscard]] PhaseNeeds encoder_needs(const std::filesystem::path& folder, bool sees, Precision precision, const Machine& machine,
                                       std::span<const Presentation> presentations);

}  // namespace fabula::h3
