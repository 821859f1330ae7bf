// A published checkpoint, a folder or a GGUF file, and what is known of it without reading its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "planner/lm/chat.h"
#include "planner/lm/qwen3.h"

namespace fabula {

/// Bytes in memory.
struct CheckpointMemory {
  Precision precision = Precision::fp32;
  std::size_t decoder = 0;  ///< weights of the language model
  std::size_t vision = 0;   ///< weights of the vision tower, read only for an image
};

struct Checkpoint {
  std::filesystem::path path;
  std::string model_type;  ///< as config.json has it: qwen3, qwen3_moe, qwen3_vl, qwen2 or llama
  Qwen3Config config;
  bool sees = false;            ///< whether it has a vision tower
  std::int64_t parameters = 0;  ///< stored parameters, including the tower's
  std::size_t stored_bytes = 0;
  bool sixteen_bit = false;              ///< stored in 16 bits or fewer: bf16 is used directly from the mapped file, or loses least
  std::vector<CheckpointMemory> memory;  ///< fp32, bf16, int8
  std::size_t kv_per_token = 0;          ///< bytes of keys and values
  std::size_t activations = 0;           ///< bytes of arena for reading text
  std::int32_t tokens = 0;               ///< size of the tokenizer's vocabulary
  ChatForm chat;
  std::vector<std::int32_t> stops;

  /// Reads the configuration, the tokenizer and the headers of the weights. Throws Error: input_missing for a missing file, bad_data for
  /// anything malformed, unsupported, or of a different shape than the configuration says.
  static Checkpoint open(const std::filesystem::path& path);
  [[nodiscard]] Tokenizer tokenizer() const;
  [[nodiscard]] Weights open_weights(Precision, DeviceKind device = DeviceKind::cpu) const;
  /// The choice of `--lm-precision auto`: bf16 if the weights are stored in 16 bits, else fp32.
  [[nodiscard]] Precision natural_precision() const;
};

}  // namespace fabula
